-- What a sweep script requires: everything under one name. docs/sweeps.md has an example of each.
local grid = require "grid"
local race = require "race"
local search = require "search"
local critical = require "critical_batch"
local budgets = require "budgets"
local rules = require "rules"
local compare = require "compare"

local sweep = {
  pow2 = grid.pow2, log2grid = grid.log2grid, retune = race.retune,
  log = search.log, linear = search.linear, search = search.search,
}

-- The last critical_batch's points, which budgets and rules go on from unless they are given others.
local last_points

function sweep.critical_batch(exp, options)
  local all
  last_points, all = critical.critical_batch(exp, options)
  return last_points, all
end

local function going_on(options)
  local all = { points = not (options and options.batch) and last_points or nil }
  for name, value in pairs(options or {}) do all[name] = value end
  return all
end

function sweep.budgets(exp, options) return budgets.compare(exp, going_on(options)) end

function sweep.rules(exp, options) return rules.judge(exp, going_on(options)) end

function sweep.compare(exp, options) return compare.compare(exp, going_on(options)) end

return sweep
