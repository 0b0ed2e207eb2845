-- Fresh seeds for what a search for critical batch sizes says. The seeds that chose a rate favour it: a
-- winner on them is up to a quarter too good. The seeds here chose nothing.
--
-- sweep.confirm_seeds: the size with the fewest steps and those that cannot be told from it run again; with
-- sweep.confirm = "all" every size does. Sizes on seeds that chose beside sizes on fresh ones bend the curve.
-- Each size then has seeds of its own: one seed at two sizes begins with the same weights, and its steps tend
-- to be few or many at both, which a fit through the sizes would take for a bend.
-- sweep.confirm_rate = "between": three seeds choose the wrong one of two neighbouring rates often. With all
-- sizes confirmed, the fresh seeds run where a parabola through the best rate and its neighbours is least: see
-- `between`.
-- sweep.precision: rounds of seeds at the size that widens the critical batch size's interval most, until
-- its high / low is the precision; then at the size with the fewest steps, until that of its steps is. They
-- end when as many runs were added as the sweep chose with. What is fastest is known from a timing pass only.
--
-- A size with fresh seeds is answered by them alone: a second decision of kind "best" replaces the first.
local check = require "check"
local fresh = {}

-- The first evaluation at the target and the one before it; nil when the run never got there.
local function crossing(result, target)
  for i, eval in ipairs(result.evals) do
    if eval.value and eval.value <= target then return eval, result.evals[i - 1] end
  end
end

-- What the plan says of one run, as of the runs that chose (candidates.lua).
local function row_of(result, seed, target)
  local reached, previous = crossing(result, target)
  local lost = result.outcome == "diverged" or result.outcome == "memory"
  return {
    run = result.run, seed = seed, censored = reached == nil,
    steps = reached and reached.step or lost and result.max_steps or result.steps,
    before = previous and previous.step or 0,
  }
end

-- The rows that answer each size, in one list for math.scaling.
local function all_rows(self)
  local rows = {}
  for _, answer in ipairs(self.answers) do
    for _, row in ipairs(self.rows[answer] or answer.points) do
      rows[#rows + 1] = { batch_size = answer.batch_size, steps = row.steps, before = row.before,
        censored = row.censored }
    end
  end
  return rows
end

-- The k-th fresh seed of an answer. With all sizes confirmed no two sizes share one.
local function fresh_seed(self, answer, k)
  if not self.place then return self.last + k end
  return self.last + self.place[answer] + (k - 1) * #self.answers
end

-- Moves the rate of every answer to where its steps are least. How sharply steps rise around the best rate
-- changes little from size to size, so the bend of the parabolas is their mean; each size has its own slope.
-- The best rate changes slowly, too: inner sizes take the mean of their own place and those of their two
-- neighbours. No rate leaves the three that ran. Places are rounded to eighths of a grid step.
local function between(self)
  local bend, count, places = 0, 0, {}
  for _, answer in ipairs(self.answers) do
    if answer.valley then bend, count = bend + answer.valley.bend, count + 1 end
  end
  if count == 0 or bend <= 0 then return end
  for i, answer in ipairs(self.answers) do
    local off = answer.valley and -answer.valley.slope / (bend / count) or 0
    places[i] = answer.index and answer.index + math.max(-1, math.min(1, off))
  end
  for i, answer in ipairs(self.answers) do
    local place, low, high = places[i], places[i - 1], places[i + 1]
    if place and low and high then place = (low + place + high) / 3 end
    if answer.valley then
      place = math.max(answer.index - 1, math.min(answer.index + 1, place))
      self.rate[answer] = answer.grid:rate(math.ceil(place * 8 - 0.5 - 1e-6) / 8)
    end
  end
end

-- Runs `count` further seeds of one answer for each of `wanted`, { answer =, reason = }, in one round.
local function run_seeds(self, wanted, count, title)
  local trials, owner = { title = title }, {}
  for _, w in ipairs(wanted) do
    local answer = w.answer
    for i = 1, count do
      local trial = {}
      for name, value in pairs(answer.settings or {}) do trial[name] = value end
      local seed = fresh_seed(self, answer, (self.asked[answer] or 0) + i)
      trial.batch_size, trial.seed = answer.batch_size, seed
      trial.learning_rate = self.rate[answer] or answer.learning_rate
      trial.target, trial.max_epochs, trial.max_steps = answer.target, self.max_epochs, self.max_steps
      trial.reason = string.format("%s, fresh seed %d", w.reason, seed)
      trials[#trials + 1], owner[#trials + 1] = trial, answer
    end
  end
  for _, w in ipairs(wanted) do self.asked[w.answer] = (self.asked[w.answer] or 0) + count end
  for i, result in ipairs(self.exp:run(trials)) do
    local answer = owner[i]
    if result.outcome ~= "failed" then -- of such a run nothing is known
      self.rows[answer] = self.rows[answer] or {}
      table.insert(self.rows[answer], row_of(result, trials[i].seed, answer.target))
    end
  end
end

-- The entry of the list that is of this batch size.
local function of_size(list, batch_size)
  for _, entry in ipairs(list) do
    if entry.batch_size == batch_size then return entry end
  end
end

-- Every size.
local function confirm_all(self, count, rate)
  local wanted = {}
  self.place = {}
  if rate == "between" then between(self) end
  for i, answer in ipairs(self.answers) do
    self.place[answer] = i
    local reason = "every size runs again"
    if self.rate[answer] then
      reason = reason .. string.format(", between the rates around %.3g", answer.learning_rate)
    end
    wanted[i] = { answer = answer, reason = reason }
  end
  run_seeds(self, wanted, count, self.head .. "fresh seeds for every size")
end

-- The fewest steps and their ties.
local function confirm_fewest(self, count)
  local plan, wanted = math.scaling(all_rows(self)), {}
  if plan.fewest == nil then return end
  for _, size in ipairs(plan.sizes) do
    local leads = size.batch_size == plan.fewest
    if leads or size.tied then
      wanted[#wanted + 1] = { answer = of_size(self.answers, size.batch_size),
        reason = leads and "has the fewest steps" or "cannot be told from the fewest steps" }
    end
  end
  run_seeds(self, wanted, count, self.head .. "fresh seeds for the fewest steps")
end

-- The size whose seeds widen the interval of the critical batch size most.
local function widest(plan)
  local best
  for _, size in ipairs(plan.sizes) do
    if best == nil or size.share > best.share then best = size end
  end
  return best
end

-- How wide an interval is: high / low, math.huge where it is open or unknown.
local function width(interval)
  if not interval or not interval.low or interval.low <= 0 then return math.huge end
  return interval.high / interval.low
end

local function wide_text(ratio)
  return ratio == math.huge and "open" or string.format("a factor of %.2f wide", ratio)
end

-- The size that needs seeds, and why; nil when all is known to the precision, or seeds would not help.
local function needed(plan, precision)
  local size, ratio = widest(plan), width(plan)
  if ratio > precision and size and size.share > 0 then
    return size, string.format("makes %.0f %% of the critical batch size's variance; its interval is %s, %.3g is wanted",
      100 * size.share, wide_text(ratio), precision)
  end
  size = of_size(plan.sizes, plan.fewest)
  if size and width(size) > precision then
    return size, string.format("has the fewest steps; their interval is %s, %.3g is wanted", wide_text(width(size)),
      precision)
  end
end

-- Rounds of seeds where they are needed.
local function sharpen(self, precision, count)
  local spent, most = 0, 0
  for _, answer in ipairs(self.answers) do most = most + #answer.points end
  while true do
    local plan = math.scaling(all_rows(self))
    local size, reason = needed(plan, precision)
    if size == nil or spent + count > most then
      self.exp:note(string.format("%sthe critical batch size's interval is %s, that of the fewest steps %s (wanted: %.3g) "
        .. "after %d further runs", self.head, wide_text(width(plan)), wide_text(width(of_size(plan.sizes, plan.fewest))),
        precision, spent))
      return
    end
    run_seeds(self, { { answer = of_size(self.answers, size.batch_size), reason = reason } }, count,
      self.head .. "seeds where they are needed")
    spent = spent + count
  end
end

-- The answer with its fresh rows in place of those that chose it.
local function replace(answer, rows)
  local steps, seeds = {}, {}
  answer.points, answer.runs, answer.fresh_seeds = rows, {}, #rows
  for _, seed in ipairs(answer.seeds) do seeds[#seeds + 1] = seed end
  for i, row in ipairs(rows) do
    answer.runs[i], seeds[#seeds + 1] = row.run, row.seed
    steps[i] = row.censored and math.huge or row.steps
  end
  answer.seeds = seeds
  local middle = check.median(steps)
  answer.censored = middle == math.huge
  if answer.censored then
    middle = 0
    for _, row in ipairs(rows) do middle = math.max(middle, row.steps) end
  end
  answer.chosen_steps, answer.steps = answer.steps, math.floor(middle + 0.5)
end

-- sharpen(exp, answers, { confirm =, all =, rate =, precision =, seeds =, max_epochs =, max_steps =, series = }):
-- the answers of one target that got fresh seeds, each with `fresh_seeds`; `answers` are changed in place.
function fresh.sharpen(exp, answers, o)
  local self = { exp = exp, answers = {}, rows = {}, asked = {}, rate = {}, last = 0, max_epochs = o.max_epochs,
    max_steps = o.max_steps, head = check.series(o.series) }
  for _, answer in ipairs(answers) do
    if not answer.censored then self.answers[#self.answers + 1] = answer end
    for _, seed in ipairs(answer.seeds) do self.last = math.max(self.last, seed) end
  end
  if #self.answers == 0 then return {} end
  if o.confirm and o.all then confirm_all(self, o.confirm, o.rate) end
  if o.precision then sharpen(self, o.precision, o.seeds) end
  if o.confirm and not o.all then confirm_fewest(self, o.confirm) end
  local changed = {}
  for _, answer in ipairs(self.answers) do
    if self.rows[answer] then
      answer.learning_rate = self.rate[answer] or answer.learning_rate
      replace(answer, self.rows[answer])
      changed[#changed + 1] = answer
    end
  end
  return changed
end

return fresh
