-- The candidates of one batch size: sets of settings that compete for the fewest steps to a target or,
-- without a target, for the lowest value at the end of a budget. This module runs them, ranks them and
-- says what is known of each. race.lua, search.lua, exhaustive.lua and budgets.lua decide who runs next.
--
-- A candidate is { key =, set =, results =, steps =, value = }:
--   key      its place in the caller's order: a grid index, or the number of a point of a box
--   set      the settings that make it this candidate, by name
--   results  what exp:run returned for it, by the index of the seed; seeds that did not run are nil
--   steps    the median of its seeds' steps to the target; math.huge when the median seed missed it
--   mean     the mean of those steps; math.huge when a seed missed it
--   value    the median of the values its seeds ended at, or with `lowest` of the lowest values on their
--            way; math.huge after divergence
--
-- Example: two rates at batch size 64, one seed, the better of which is asked for.
--   local c = candidates.new(exp, { batch_size = 64, target = 0.2, seeds = { 1 }, slack = 1.25 })
--   c:run({ { key = 1, set = { learning_rate = 0.01 }, seed = 1 },
--           { key = 2, set = { learning_rate = 0.02 }, seed = 1 } }, true)
--   local best = c:answer()
local check = require "check"
local candidates = {}

local Candidates = {}
Candidates.__index = Candidates

-- new(exp, { batch_size, target or nil, seeds, slack, max_steps, max_epochs, settings, title, lowest })
function candidates.new(exp, o)
  if o.lowest and o.target then error("lowest goes with a budget: a target is passed once") end
  return setmetatable({
    exp = exp, batch_size = o.batch_size, target = o.target, seeds = o.seeds, slack = o.slack,
    max_steps = o.max_steps, max_epochs = o.max_epochs, settings = o.settings or {},
    title = o.title or ("batch " .. o.batch_size), by_key = {}, lowest = o.lowest,
  }, Candidates)
end

-- The first evaluation at the target and the one before it; nil when the run never got there.
local function crossing(result, target)
  for i, eval in ipairs(result.evals) do
    if target and eval.value and eval.value <= target then return eval, result.evals[i - 1] end
  end
end

-- The lowest value on a run's way; math.huge when it diverged.
function candidates.lowest_value(result)
  local least = math.huge
  for _, eval in ipairs(result.evals) do
    if not eval.value then return math.huge end
    least = math.min(least, eval.value)
  end
  return result.outcome == "diverged" and math.huge or least
end

-- What a run came to: its value at the target or its end, or with `lowest` the lowest on its way.
function Candidates:value_of(result)
  if self.lowest then return candidates.lowest_value(result) end
  local last = crossing(result, self.target) or result.evals[#result.evals]
  return last and last.value or math.huge
end

-- Sets the candidate's medians from the seeds that ran.
function Candidates:summarize(candidate)
  local steps, values = {}, {}
  for _, result in pairs(candidate.results) do
    local reached = crossing(result, self.target)
    steps[#steps + 1] = reached and reached.step or math.huge
    values[#values + 1] = self:value_of(result)
  end
  candidate.steps, candidate.mean, candidate.value = check.median(steps), check.mean(steps), check.median(values)
end

-- Another target for the same candidates: the results at hand are read again, nothing runs.
function Candidates:set_target(target)
  self.target = target
  for _, candidate in pairs(self.by_key) do self:summarize(candidate) end
end

local function better(a, b)
  if a.steps ~= b.steps then return a.steps < b.steps end
  if a.mean ~= b.mean then return a.mean < b.mean end
  return a.value < b.value
end

-- The candidate with the fewest steps; among equals the lower mean, then the lower value, then the lower key.
-- Evaluations are few, so medians of a few seeds are often equal.
function Candidates:leader()
  local best
  for _, candidate in pairs(self.by_key) do
    if best == nil or better(candidate, best) then best = candidate end
  end
  return best
end

-- All candidates, best first.
function Candidates:ranking()
  local order = {}
  for _, candidate in pairs(self.by_key) do order[#order + 1] = candidate end
  table.sort(order, better)
  return order
end

-- Runs a list of { key =, set = settings, seed = index, bound = steps or nil, reason = } in one round.
-- With `racing`, the first to reach the target bounds the others.
function Candidates:run(wanted, racing)
  local trials = { title = self.title, race = racing, slack = self.slack }
  for i, w in ipairs(wanted) do
    local trial = {}
    for name, value in pairs(self.settings) do trial[name] = value end
    for name, value in pairs(w.set) do trial[name] = value end
    trial.batch_size, trial.seed = self.batch_size, self.seeds[w.seed]
    trial.target, trial.max_epochs = self.target, self.max_epochs
    trial.max_steps = w.bound or self.max_steps
    trial.reason = w.reason
    trials[i] = trial
  end
  for i, result in ipairs(self.exp:run(trials)) do
    local w = wanted[i]
    local candidate = self.by_key[w.key] or { key = w.key, set = w.set, results = {} }
    self.by_key[w.key] = candidate
    -- A run that was cut says "more steps than this". That is enough to lose, never to win.
    local bounded = w.bound and result.outcome == "budget"
    result.cut = result.outcome == "race" or bounded or false
    result.known_steps = bounded and math.max(w.bound, result.steps) or result.steps
    local previous = candidate.results[w.seed]
    if previous == nil or result.outcome == "failed" or result.steps >= previous.steps then candidate.results[w.seed] = result end
    self:summarize(candidate)
  end
end

-- Steps after which a run can no longer win; nil while no candidate has reached the target.
function Candidates:step_bound()
  local best = self:leader()
  if best == nil or best.steps == math.huge then return nil end
  local bound = self.exp:grid_ceil(math.ceil(best.steps * self.slack))
  return self.max_steps and math.min(self.max_steps, bound) or bound
end

-- Whether a run stopped before it could say if it reaches the target: a race or a bound cut it, or it
-- ended at an easier target.
function Candidates:is_unfinished(result)
  return (result.cut or result.outcome == "target") and not crossing(result, self.target)
end

-- The earliest step at which a run can reach the target and the lowest value it can have there, and
-- whether both are final. A run that is not over, or has not begun, may reach it one step later than it
-- ran, with a value of 0.
function Candidates:earliest_arrival(result)
  if result == nil then return 1, 0, false end
  local reached, last = crossing(result, self.target), result.evals[#result.evals]
  if reached then return reached.step, reached.value, true end
  if self:is_unfinished(result) then return result.known_steps + 1, 0, false end
  return math.huge, last and last.value or math.huge, true
end

-- The mean over the seeds of the logs of the steps that a candidate needs, at least where a run did not arrive:
-- the geometric middle of the gap between the evaluations around the target. Nil where a seed did not run, or failed.
function Candidates:mean_log_steps(candidate)
  local sum = 0
  for i = 1, #self.seeds do
    local result = candidate.results[i]
    if result == nil or result.outcome == "failed" then return nil end
    local reached, previous = crossing(result, self.target)
    if reached then
      sum = sum + math.log(math.sqrt(((previous and previous.step or 0) + 1) * reached.step))
    else
      sum = sum + math.log(math.max(1, result.known_steps))
    end
  end
  return sum / #self.seeds
end

-- Appends to `wanted` the seeds that a candidate lacks. The leader's cut runs are continued to their
-- end; the runs of any other candidate stop where they can no longer win.
function Candidates:add_missing_seeds(wanted, candidate, leads, what)
  for seed = 1, #self.seeds do
    local result = candidate.results[seed]
    local unfinished = leads and result and self:is_unfinished(result)
    if result == nil or unfinished then
      wanted[#wanted + 1] = {
        key = candidate.key, set = candidate.set, seed = seed, bound = not leads and self:step_bound() or nil,
        reason = string.format("%s, seed %d%s%s", what, self.seeds[seed],
          unfinished and ": its run was cut" or "", self:target_note()),
      }
    end
  end
end

-- " (target 0.3)" while an easier target than the main one is asked about.
function Candidates:target_note()
  return self.easier_target and string.format(" (target %.4g)", self.target) or ""
end

-- Whether a run of this batch size did not fit into memory.
function Candidates:out_of_memory()
  for _, candidate in pairs(self.by_key) do
    for _, result in pairs(candidate.results) do
      if result.outcome == "memory" then return true end
    end
  end
  return false
end

-- The results of a candidate in the order of the seeds, those that did not run left out, and the seeds. A run
-- whose program failed says nothing of the candidate: it counts only where none did better.
local function ran(self, candidate, failures)
  local results, seeds = {}, {}
  for i, seed in ipairs(self.seeds) do
    local result = candidate.results[i]
    if result and (failures or result.outcome ~= "failed") then
      results[#results + 1], seeds[#seeds + 1] = result, seed
    end
  end
  if #results == 0 and not failures then return ran(self, candidate, true) end
  return results, seeds
end

-- One row for each seed of a candidate, for the plan. A seed that missed the target is censored at the
-- steps it is known to need; one that diverged, at its whole budget.
local function seed_rows(self, candidate)
  local rows = {}
  local results, seeds = ran(self, candidate)
  for i, result in ipairs(results) do
    local reached, previous = crossing(result, self.target)
    local lost = result.outcome == "diverged" or result.outcome == "memory" or result.outcome == "failed"
    rows[i] = {
      run = result.run, seed = seeds[i], censored = reached == nil,
      steps = reached and reached.step or lost and result.max_steps or result.steps,
      before = previous and previous.step or 0,
    }
  end
  return rows
end

-- The leader as an answer; docs/sweeps.md lists its fields.
function Candidates:answer()
  local best = self:leader()
  local settings, runs = {}, {}
  for name, value in pairs(self.settings) do settings[name] = value end
  for name, value in pairs(best.set) do
    if name ~= "learning_rate" then settings[name] = value end
  end
  local results, seeds = ran(self, best)
  for i, result in ipairs(results) do runs[i] = result.run end
  local rows, steps = seed_rows(self, best), best.steps
  local censored = steps == math.huge
  if censored then
    steps = 0
    for _, result in ipairs(results) do steps = math.max(steps, result.steps) end
  end
  return {
    batch_size = self.batch_size, target = self.target, learning_rate = best.set.learning_rate,
    settings = settings, steps = math.floor(steps + 0.5), value = best.value, censored = censored,
    feasible = not self:out_of_memory(), seeds = self.seeds, results = best.results, runs = runs,
    points = rows,
  }
end

return candidates
