-- The exhaustive search for a learning rate: the proof that no rate of the grid beats the leader of a race
-- (docs/sweeps.md, The whole grid).
--
-- The leader has all its runs. For every other rate the best outcome is computed that its runs so far
-- leave possible: a seed that is not over is taken to arrive at the very next step with the value 0. A
-- rate whose best outcome is worse than the leader has lost. Any other rate runs on, never further than
-- the leader's steps and with no more seeds than the proof needs.
--
-- Example: 3 seeds, the leader's median is 100 steps, a rate has no runs. Two of its seeds run to step
-- 100. If neither arrives by then, its median is above 100 whatever the third would do: it has lost.
local check = require "check"
local exhaustive = {}

-- The best medians and mean that candidate k can still have, and the list of its seeds that are not over. The first
-- `late` of those are supposed not to have arrived by step `bound`.
local function best_possible(self, k, late, bound)
  local candidate, steps, values, unfinished = self.by_key[k], {}, {}, {}
  for seed = 1, #self.seeds do
    local arrival, value, final = self:earliest_arrival(candidate and candidate.results[seed])
    steps[seed], values[seed] = arrival, value
    if not final then
      unfinished[#unfinished + 1] = seed
      if #unfinished <= late then steps[seed] = math.max(arrival, bound + 1) end
    end
  end
  local best = { key = k, mean = check.mean(steps), steps = check.median(steps), value = check.median(values) }
  best.lower_middle = steps[(#steps + 1) // 2]
  return best, unfinished
end

local function is_worse(a, b)
  if a.steps ~= b.steps then return a.steps > b.steps end
  if a.mean ~= b.mean then return a.mean > b.mean end
  if a.value ~= b.value then return a.value > b.value end
  return a.key > b.key
end

-- The seeds of rate k that have to run, and the step they have to run to (nil: until they are over),
-- before more can be said. An empty list: the rate has lost.
local function seeds_to_run(self, k, leader)
  local possible, unfinished = best_possible(self, k, 0, 0)
  if is_worse(possible, leader) then return {} end
  if leader.steps == math.huge then return { unfinished[1] } end
  -- The median of an even number of seeds is the geometric mean of the middle two. Where the lower of
  -- them has arrived early, the upper one has to be that much later.
  local upper_middle = leader.steps ^ 2 / best_possible(self, k, #unfinished, leader.steps).lower_middle
  for _, steps in ipairs { leader.steps, upper_middle } do
    for n = 1, #unfinished do
      local bound = math.ceil(steps)
      if is_worse(best_possible(self, k, n, bound), leader) then
        return table.move(unfinished, 1, n, 1, {}), bound
      end
    end
  end
  -- Where the medians may be equal, the mean decides: the late seeds have to take what the others leave.
  for n = 1, #unfinished do
    local early, left = best_possible(self, k, n, 0), 0
    for i = 1, n do left = left + self:earliest_arrival(self.by_key[k] and self.by_key[k].results[unfinished[i]]) end
    local bound = math.floor(((leader.mean - early.mean) * #self.seeds + left) / n)
    if bound > leader.steps and bound < math.huge and is_worse(best_possible(self, k, n, bound), leader) then
      return table.move(unfinished, 1, n, 1, {}), bound
    end
  end
  return unfinished -- as good as the leader so far: its own runs decide
end

-- The runs that the proof still needs, and whether they may race: while no rate has reached the target.
local function missing_runs(self)
  local leader, wanted = self:leader(), {}
  local why = self.target and string.format("may still be the best of the grid: %.3g leads%s",
    leader.set.learning_rate, self:target_note()) or "the whole grid"
  for k = self.grid.low, self.grid.high do
    local seeds, bound = seeds_to_run(self, k, leader)
    for _, seed in ipairs(seeds) do
      wanted[#wanted + 1] = { key = k, set = { learning_rate = self.grid:rate(k) }, seed = seed, bound = bound,
        reason = string.format("%s, seed %d", why, self.seeds[seed]) }
    end
  end
  return wanted, self.target ~= nil and leader.steps == math.huge
end

-- Runs until no rate of the grid can beat the leader. complete_leader(self) gives a new leader its
-- neighbours and all its runs. Returns false when a run did not fit into memory.
function exhaustive.prove(self, complete_leader)
  local wanted, racing
  repeat
    complete_leader(self)
    if self:out_of_memory() then return false end
    wanted, racing = missing_runs(self)
    if #wanted > 0 then self:run(wanted, racing) end
  until #wanted == 0
  return true
end

return exhaustive
