-- What a sweep script requires: everything under one name. docs/sweeps.md has an example of each.
local grid = require "grid"
local race = require "race"
local search = require "search"
local critical = require "critical_batch"
local budgets = require "budgets"
local rules = require "rules"
local compare = require "compare"
local test = require "test"
local optimizers = require "optimizers"

local sweep = {
  pow2 = grid.pow2, log2grid = grid.log2grid, retune = race.retune,
  log = search.log, linear = search.linear, search = search.search,
  test = test.look, optimizers = optimizers.compare,
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

-- The last epoch budget's rates, which compare goes on from.
local last_epochs

function sweep.budgets(exp, options)
  local crowned = budgets.compare(exp, going_on(options))
  for _, c in ipairs(crowned) do
    if c.budget == "epochs" then last_epochs = c end
  end
  return crowned
end

function sweep.rules(exp, options) return rules.judge(exp, going_on(options)) end

function sweep.compare(exp, options)
  local all = going_on(options)
  if all.within == nil then all.within = last_epochs end
  return compare.compare(exp, all)
end

return sweep
