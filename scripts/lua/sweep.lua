-- What a sweep script requires: the whole library under one name. docs/sweeps.md has an example of each.
-- Nothing is kept between two calls: what a function needs from another is passed on by the script.
local budgets = require "budgets"
local check = require "check"
local compare = require "compare"
local critical = require "critical_batch"
local finder = require "finder"
local grid = require "grid"
local imported = require "imported"
local optimizers = require "optimizers"
local quality = require "quality"
local race = require "race"
local rules = require "rules"
local search = require "search"
local test_set = require "test_set"

local sweep = {
  pow2 = grid.pow2, log2grid = grid.log2grid,
  retune = race.retune,
  log = search.log, linear = search.linear, search = search.search,
  critical_batch = critical.critical_batch,
  imported = imported.imported,
  lr_find = finder.lr_find,
  budgets = budgets.compare, rules = rules.judge, compare = compare.compare,
  optimizers = optimizers.compare, quality = quality.compare, evaluate_test_set = test_set.evaluate,
}

local names = {}
for name in pairs(sweep) do names[#names + 1] = name end

return setmetatable(sweep, { __index = function(_, name)
  error("sweep has no '" .. tostring(name) .. "'" .. check.suggestion(tostring(name), names), 2)
end })
