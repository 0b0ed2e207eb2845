-- The learning-rate finder: one run whose rate grows by equal factors until the loss explodes (Smith 2017), and
-- three rates that people read from it. Each can be judged by what it costs against the retuned rate.
--
--   steepest     where the smoothed loss falls fastest against the logarithm of the rate
--   valley       a half of the way down the longest fall (fastai's: one third and a half of the next)
--   minimum/10   a tenth of the rate with the lowest smoothed loss
--
-- Example: the loss is 2.3 up to 2^-10, falls to 0.4 at 2^-4 and explodes at 1. Then minimum/10 is 2^-4 / 10.
local check = require "check"
local candidates = require "candidates"
local grid = require "grid"
local finder = {}

-- The smoothed loss ends at this times its lowest; less than this part of it is rounding, and no fall.
local exploded, rounding = 4, 1e-9

-- Exponentially averaged with weight 0.98 for the past, and freed of its beginning at 0: fastai's.
local function smooth(losses)
  local beta, average, weight, out = 0.98, 0, 1, {}
  for i, loss in ipairs(losses) do
    average, weight = beta * average + (1 - beta) * loss, weight * beta
    out[i] = average / (1 - weight)
  end
  return out
end

-- The losses up to the first that is not finite or has exploded, smoothed; without the first tenth of all
-- and the last five, as fastai has it. Returns them and how many were left out before them.
local function usable(evals)
  local losses, lowest = {}, math.huge
  for i, eval in ipairs(evals) do
    if not eval.train_loss then break end
    losses[i] = eval.train_loss
  end
  local smoothed = smooth(losses)
  local last = #smoothed
  for i, loss in ipairs(smoothed) do
    if loss > exploded * lowest then
      last = i - 1
      break
    end
    lowest = math.min(lowest, loss)
  end
  local before = #evals // 10
  return table.move(smoothed, before + 1, last - 5, 1, {}), before
end

-- The index with the lowest value, the first of equals.
local function lowest_of(values)
  local best = 1
  for i, value in ipairs(values) do
    if value < values[best] then best = i end
  end
  return best
end

-- Neighbours are one factor apart, so the slope is a difference.
local function steepest(losses)
  local best, least = nil, 0
  for i = 2, #losses - 1 do
    local slope = losses[i + 1] - losses[i - 1]
    if slope < least - rounding * losses[i] then best, least = i, slope end
  end
  return best
end

-- The longest strictly falling subsequence; its third, and a half of the next third.
local function valley(losses)
  local length, last = {}, 1
  for i = 1, #losses do
    length[i] = 1
    for j = 1, i - 1 do
      if losses[i] < losses[j] * (1 - rounding) and length[i] <= length[j] then length[i] = length[j] + 1 end
    end
    if length[i] > length[last] then last = i end
  end
  if length[last] == nil or length[last] < 3 then return nil end
  local section = length[last] / 3
  return math.max(1, last - length[last]) + math.floor(section) + math.floor(section / 2)
end

local suggestions = {
  { name = "steepest", at = function(s) return steepest(s.losses) end },
  { name = "valley", at = function(s) return valley(s.losses) end },
  { name = "minimum/10", at = function(s) return lowest_of(s.losses) end, factor = 1 / 10 },
}

-- The rate of step i of n, 2^x times the lowest, x rounded to 20 binary digits: the same bits on every machine.
local function rate_of(o, i)
  local x = math.log(o.lr_max / o.lr_min, 2) * (i - 1) / (o.steps - 1)
  return o.lr_min * grid.power(math.floor(x * 2 ^ 20 + 0.5) / 2 ^ 20)
end

-- One run at one batch size, an evaluation of few rows after every step.
local function trial_of(exp, o, size)
  local trial = { batch_size = size, learning_rate = o.lr_max, seed = o.seed, max_steps = o.steps,
    ["schedule.name"] = "exponential", ["schedule.div_factor"] = o.lr_max / o.lr_min,
    ["schedule.horizon_epochs"] = o.steps * size / exp.epoch_rows, ["eval.first"] = 1, ["eval.growth"] = 1.0,
    reason = string.format("learning-rate finder at batch %d", size) }
  if exp.config["data.eval_rows"] then trial["data.eval_rows"] = math.min(o.eval_rows, exp.config["data.eval_rows"]) end
  for name, value in pairs(o.settings or {}) do trial[name] = value end
  return trial
end

-- Runs each suggestion's rate toward the answer's target. Returns rows with regret and whether it is a bound.
local function judge(exp, o, answer, rows)
  local self = candidates.new(exp, { batch_size = answer.batch_size, target = answer.target, seeds = answer.seeds,
    slack = o.limit, settings = answer.settings, title = "finder's rates at batch " .. answer.batch_size })
  local wanted, bound = {}, exp:grid_ceil(math.ceil(o.limit * answer.steps))
  for _, row in ipairs(rows) do
    for seed = 1, row.learning_rate and #answer.seeds or 0 do
      wanted[#wanted + 1] = { key = row.name, set = { learning_rate = row.learning_rate }, seed = seed, bound = bound,
        reason = string.format("the finder's %s, seed %d", row.name, answer.seeds[seed]) }
    end
  end
  if #wanted > 0 then self:run(wanted, false) end
  for _, row in ipairs(rows) do
    local candidate = self.by_key[row.name]
    if candidate then
      row.at_least = candidate.steps == math.huge
      row.regret = row.at_least and o.limit or candidate.steps / answer.steps
    end
  end
end

local function words_of(row)
  if not row.learning_rate then return row.name .. " none" end
  local words = string.format("%s %.3g", row.name, row.learning_rate)
  if row.regret then
    words = words .. string.format(" (%s%.2f times the steps)", row.at_least and "at least " or "", row.regret)
  end
  return words
end

-- One decision for a size: its suggestions, and what they cost where that is known.
local function report(exp, size, run, rows, answer)
  local list, words = {}, {}
  for i, row in ipairs(rows) do
    list[i] = { name = row.name, learning_rate = row.learning_rate, regret = row.regret, at_least = row.at_least }
    words[i] = words_of(row)
  end
  exp:decide { kind = "custom", text = string.format("learning-rate finder at batch %d: %s%s", size,
    table.concat(words, ", "), answer and string.format("; retuned %.3g", answer.learning_rate) or ""),
    data = { finder = "learning_rate", batch_size = size, run = run, suggestions = list,
      tuned = answer and answer.learning_rate or nil } }
end

-- lr_find(exp, { batch = {64, 256} or from = critical_batch(...), lr_min =, lr_max =, steps = 100, eval_rows = 64,
-- seed =, settings =, limit = 4 }). With `from` each size's suggestions are run to its target, and judged.
-- Returns a list of { batch_size, suggestions = { { name, learning_rate, regret, at_least } }, run }.
function finder.lr_find(exp, given)
  local o = check.options(given, { "batch", "from", "lr_min", "lr_max", "steps", "eval_rows", "seed", "settings",
    "limit" }, "lr_find")
  if not o.batch == not o.from then error("lr_find needs batch: a list of sizes, or from: what critical_batch returned") end
  local run = { lr_min = check.number(o.lr_min or exp.config["sweep.lr_min"], 0, "lr_min", true),
    lr_max = check.number(o.lr_max or exp.config["sweep.lr_max"], 0, "lr_max", true),
    steps = check.whole(o.steps or 100, 10, "steps"), eval_rows = check.whole(o.eval_rows or 64, 1, "eval_rows"),
    seed = check.whole(o.seed or exp.config["train.seed"], 0, "seed"), settings = o.settings,
    limit = check.number(o.limit or 4, 1, "limit", true) }
  if run.lr_min >= run.lr_max then error("lr_find needs lr_min below lr_max") end
  local sizes, answers, round = {}, {}, { title = "learning-rate finder" }
  for _, answer in ipairs(o.from or {}) do
    if not answer.censored then sizes[#sizes + 1], answers[answer.batch_size] = answer.batch_size, answer end
  end
  if o.batch then sizes = check.batch_sizes(exp, o.batch) end
  for i, size in ipairs(sizes) do round[i] = trial_of(exp, run, size) end
  local results = #round > 0 and exp:run(round) or {}
  local found = {}
  for i, result in ipairs(results) do
    local rows, seen = {}, {}
    seen.losses, seen.before = usable(result.evals)
    for k, suggestion in ipairs(suggestions) do
      local at = #seen.losses > 2 and suggestion.at(seen) or nil
      rows[k] = { name = suggestion.name, learning_rate = at and rate_of(run, seen.before + at) * (suggestion.factor or 1) or nil }
    end
    local answer = answers[sizes[i]]
    if answer then judge(exp, run, answer, rows) end
    report(exp, sizes[i], result.run, rows, answer)
    found[i] = { batch_size = sizes[i], suggestions = rows, run = result.run }
  end
  return found
end

return finder
