-- Proof that no rate of the grid beats a race's leader (docs/sweeps.md, The whole grid). The leader has
-- all its runs. Another rate has lost as soon as the best that its runs leave possible is worse; until
-- then it runs, never further than the leader's steps, with no more seeds than the proof takes.
local check = require "check"
local cover = {}

-- The best a candidate can come to: medians over all seeds, where a run that is not over arrives at
-- the next step with the lowest value there is, 0. The first `missing` of those not over are
-- supposed not to have arrived by step `bound`.
local function at_best(self, k, missing, bound)
  local point, steps, values, open = self.points[k], {}, {}, {}
  for seed = 1, #self.seeds do
    local result = point and point.results[seed]
    local hit, value, over = self:outcome(result)
    steps[seed], values[seed] = hit, value
    if not over then
      open[#open + 1] = seed
      if #open <= missing then steps[seed] = math.max(hit, bound + 1) end
    end
  end
  local best = { key = k, steps = check.median(steps), value = check.median(values) }
  best.lower = steps[(#steps + 1) // 2]
  return best, open
end

local function loses(a, best)
  if a.steps ~= best.steps then return a.steps > best.steps end
  if a.value ~= best.value then return a.value > best.value end
  return a.key > best.key
end

-- Seeds that have to run to step `bound` (nil: until they are over) before more can be said of rate k.
local function needed(self, k, best)
  local possible, open = at_best(self, k, 0, 0)
  if loses(possible, best) then return {} end
  if best.steps == math.huge then return { open[1] } end
  -- Half of an even number of seeds may have arrived: the others have to make up for them.
  local farther = best.steps ^ 2 / at_best(self, k, #open, best.steps).lower
  for _, steps in ipairs { best.steps, farther } do
    for n = 1, #open do
      local bound = math.ceil(steps)
      if loses(at_best(self, k, n, bound), best) then return table.move(open, 1, n, 1, {}), bound end
    end
  end
  return open -- as good as the leader so far: its own runs decide
end

local function contenders(self)
  local best, wanted = self:leader(), {}
  local may = self.target and string.format("may still be the best of the grid: %.3g leads%s",
    best.set.learning_rate, self:aim()) or "the whole grid"
  for k = self.grid.low, self.grid.high do
    local seeds, bound = needed(self, k, best)
    for _, seed in ipairs(seeds) do
      wanted[#wanted + 1] = { key = k, set = { learning_rate = self.grid:rate(k) }, seed = seed, bound = bound,
        reason = string.format("%s, seed %d", may, self.seeds[seed]) }
    end
  end
  return wanted, self.target ~= nil and best.steps == math.huge
end

-- Until nobody can: settle(self) gives whoever leads neighbours and all its runs.
function cover.whole_grid(self, settle)
  local wanted, racing
  repeat
    settle(self)
    if self:no_memory() then return false end
    wanted, racing = contenders(self)
    if #wanted > 0 then self:run(wanted, racing) end
  until #wanted == 0
  return true
end

return cover
