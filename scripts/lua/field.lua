-- Candidates of one batch size that compete under one question: the fewest steps to a target, or,
-- without one, the lowest value at the end of a budget. race.lua, search.lua and budgets.lua decide
-- who runs next; what is known of a candidate and who leads is decided here, the same for all.
local check = require "check"
local field = {}

local Field = {}
Field.__index = Field

-- new(exp, { batch_size, target or nil, seeds, slack, max_steps, max_epochs, settings, title })
function field.new(exp, o)
  return setmetatable({
    exp = exp, batch_size = o.batch_size, target = o.target, seeds = o.seeds, slack = o.slack,
    max_steps = o.max_steps, max_epochs = o.max_epochs, settings = o.settings or {},
    title = o.title or ("batch " .. o.batch_size), points = {},
  }, Field)
end

-- The first evaluation at the target and the one before it, nil when never.
local function crossing(result, target)
  for i, eval in ipairs(result.evals) do
    if target and eval.value and eval.value <= target then return eval, result.evals[i - 1] end
  end
end

-- Median steps over the seeds that ran, then the median of the values they ended at.
local function rate_point(point, target)
  local steps, values = {}, {}
  for _, result in pairs(point.results) do
    local hit = crossing(result, target)
    local last = hit or result.evals[#result.evals]
    steps[#steps + 1] = hit and hit.step or math.huge
    values[#values + 1] = last and last.value or math.huge
  end
  point.steps, point.value = check.median(steps), check.median(values)
end

-- The same candidates under another target: what has run is read again.
function Field:ask(target)
  self.target = target
  for _, point in pairs(self.points) do rate_point(point, target) end
end

local function better(a, b)
  return a.steps < b.steps or (a.steps == b.steps and a.value < b.value)
end

-- Fewest steps; among equals the lower value, then the lower key.
function Field:leader()
  local best
  for _, point in pairs(self.points) do
    if best == nil or better(point, best) then best = point end
  end
  return best
end

-- All candidates, best first.
function Field:ranking()
  local order = {}
  for _, point in pairs(self.points) do order[#order + 1] = point end
  table.sort(order, better)
  return order
end

-- Wanted: a list of { key =, set = settings, seed = index, bound = steps or nil, reason = }; runs
-- those in one round. Racing, the first to reach the target bounds the others.
function Field:run(wanted, racing)
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
    local point = self.points[w.key] or { key = w.key, set = w.set, results = {} }
    self.points[w.key] = point
    -- A cut run says "more than this", which is enough for a loser only.
    local bounded = w.bound and result.outcome == "budget"
    result.cut = result.outcome == "race" or bounded or false
    result.past = bounded and math.max(w.bound, result.steps) or result.steps
    local before = point.results[w.seed]
    if before == nil or result.steps >= before.steps then point.results[w.seed] = result end
    rate_point(point, self.target)
  end
end

-- Steps after which a run can no longer be of interest; nil while nobody has reached the target.
function Field:bound()
  local best = self:leader()
  if best == nil or best.steps == math.huge then return nil end
  local bound = self.exp:grid_ceil(math.ceil(best.steps * self.slack))
  return self.max_steps and math.min(self.max_steps, bound) or bound
end

-- Whether a run stopped before it could say whether it reaches the target: cut, or at an easier one.
function Field:open(result)
  return (result.cut or result.outcome == "target") and not crossing(result, self.target)
end

-- The step a run arrives at, its value there or at its end, and whether both are known. What is not
-- over, or has not begun, arrives later than it ran, with a value of 0 or more.
function Field:outcome(result)
  if result == nil then return 1, 0, false end
  local hit, last = crossing(result, self.target), result.evals[#result.evals]
  if hit then return hit.step, hit.value, true end
  if self:open(result) then return result.past + 1, 0, false end
  return math.huge, last and last.value or math.huge, true
end

-- The seeds a candidate still lacks, appended to `wanted`. The leader's runs go on where a race cut
-- them; anybody else's stop where they can no longer win.
function Field:want_seeds(wanted, point, leads, what)
  for seed = 1, #self.seeds do
    local result = point.results[seed]
    local unfinished = leads and result and self:open(result)
    if result == nil or unfinished then
      wanted[#wanted + 1] = {
        key = point.key, set = point.set, seed = seed, bound = not leads and self:bound() or nil,
        reason = string.format("%s, seed %d%s%s", what, self.seeds[seed],
          unfinished and ": its run was cut" or "", self:aim()),
      }
    end
  end
end

-- " (target 0.3)" where it is not the main one.
function Field:aim()
  return self.aside and string.format(" (target %.4g)", self.target) or ""
end

function Field:no_memory()
  for _, point in pairs(self.points) do
    for _, result in pairs(point.results) do
      if result.outcome == "memory" then return true end
    end
  end
  return false
end

-- What each seed of the candidate says of the question, for the plan: a run that diverged would not
-- have arrived within its budget either.
local function seed_points(self, point)
  local list = {}
  for i, result in ipairs(point.results) do
    local hit, before = crossing(result, self.target)
    local lost = result.outcome == "diverged" or result.outcome == "memory"
    list[i] = {
      run = result.run, seed = self.seeds[i], censored = hit == nil,
      steps = hit and hit.step or lost and result.max_steps or result.steps,
      before = before and before.step or 0,
    }
  end
  return list
end

-- The leader as an answer: see docs/sweeps.md for its fields.
function Field:answer()
  local best = self:leader()
  local settings, runs = {}, {}
  for name, value in pairs(self.settings) do settings[name] = value end
  for name, value in pairs(best.set) do
    if name ~= "learning_rate" then settings[name] = value end
  end
  for i, result in ipairs(best.results) do runs[i] = result.run end
  local points, steps = seed_points(self, best), best.steps
  local censored = steps == math.huge
  if censored then
    steps = 0
    for _, result in ipairs(best.results) do steps = math.max(steps, result.steps) end
  end
  return {
    batch_size = self.batch_size, target = self.target, learning_rate = best.set.learning_rate,
    settings = settings, steps = math.floor(steps + 0.5), value = best.value, censored = censored,
    feasible = not self:no_memory(), seeds = self.seeds, results = best.results, runs = runs,
    points = points,
  }
end

return field
