-- What a sweep script requires: everything under one name. docs/sweeps.md has an example of each.
local grid = require "grid"
local race = require "race"
local critical = require "critical_batch"
local budgets = require "budgets"

local sweep = { pow2 = grid.pow2, log2grid = grid.log2grid, retune = race.retune }

-- The last critical_batch's points, which budgets goes on from unless it is given others.
local last_points

function sweep.critical_batch(exp, options)
  last_points = critical.critical_batch(exp, options)
  return last_points
end

function sweep.budgets(exp, options)
  local all = { points = last_points }
  for name, value in pairs(options or {}) do all[name] = value end
  return budgets.compare(exp, all)
end

return sweep
