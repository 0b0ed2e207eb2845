-- The one evaluation on the test set: a run that was chosen on the validation rows is trained again, with
-- a single evaluation, at its last step, on all test rows. Nothing is chosen by what comes out.
local check = require "check"
local test_set = {}

-- One trial for each seed; `steps` is a number for all or a list. Its only evaluation is its last step.
local function trials_of(o, steps)
  local trials = { title = string.format("%sbatch %d, the test rows", o.head, o.batch_size) }
  for i, seed in ipairs(o.seeds) do
    local last = type(steps) == "table" and steps[i] or steps
    local trial = {}
    for name, value in pairs(o.settings or {}) do trial[name] = value end
    trial.batch_size, trial.learning_rate, trial.seed = o.batch_size, o.learning_rate, seed
    trial["data.split"], trial["data.eval_rows"] = "test", "unset"
    trial["eval.first"], trial.max_steps = last, last
    trial.reason = string.format("one look at the test rows after %s steps, seed %d", check.commas(last), seed)
    trials[i] = trial
  end
  return trials
end

-- Runs the trials and records what they came to, as a decision. Returns the median of the metric.
local function evaluate(exp, o, steps)
  local values, sorted, runs = {}, {}, {}
  for i, result in ipairs(exp:run(trials_of(o, steps))) do
    local last = result.evals[#result.evals]
    local value = last and last.value
    values[i], runs[i], sorted[i] = value or "diverged", result.run, value or math.huge
  end
  table.sort(sorted)
  local median = sorted[(#sorted + 1) // 2]
  local text = string.format("test rows, %sbatch %d at lr %.3g: %s", o.head, o.batch_size, o.learning_rate,
    median < math.huge and string.format("%s %.4g", exp.config["metric"], median) or "no result")
  if #sorted > 1 and sorted[#sorted] < math.huge then
    text = text .. string.format(" (%.4g to %.4g, %d seeds)", sorted[1], sorted[#sorted], #sorted)
  end
  exp:decide {
    kind = "test", text = text, series = o.series, batch_size = o.batch_size, learning_rate = o.learning_rate,
    steps = steps, value = median < math.huge and median or nil, values = values, runs = runs,
  }
  return median
end

-- Each seed of an answer where it reached the answer's target; nil when none did.
local function evaluate_answer(exp, answer, series)
  local steps, seeds = {}, {}
  for _, p in ipairs(answer.points) do
    if not p.censored then steps[#steps + 1], seeds[#seeds + 1] = p.steps, p.seed end
  end
  if #steps == 0 then return nil end
  return evaluate(exp, { batch_size = answer.batch_size, learning_rate = answer.learning_rate, seeds = seeds,
    settings = answer.settings, series = series, head = check.series(series) }, steps)
end

-- evaluate(exp, { from = an answer of retune or critical_batch, series = name or nil }): each seed where
-- it reached its target. Or evaluate(exp, { batch_size, learning_rate, max_epochs or max_steps, seeds,
-- settings }). Returns the median of the metric, math.huge when it is not finite, nil when no seed arrived.
function test_set.evaluate(exp, given)
  local o = check.options(given, { "from", "series", "batch_size", "learning_rate", "max_epochs", "max_steps", "seeds",
    "settings" }, "evaluate_test_set")
  if o.from then return evaluate_answer(exp, o.from, o.series) end
  local size = check.batch_size(exp, o.batch_size)
  if not o.max_epochs == not o.max_steps then
    error("evaluate_test_set needs from: an answer, or max_epochs or max_steps")
  end
  local steps = o.max_steps and check.whole(o.max_steps, 1, "max_steps")
    or math.max(1, math.floor(check.number(o.max_epochs, 0, "max_epochs", true) * exp.epoch_rows / size))
  return evaluate(exp, { batch_size = size, learning_rate = check.number(o.learning_rate, 0, "learning_rate", true),
    seeds = check.seeds(exp, o.seeds), settings = o.settings, series = o.series,
    head = check.series(o.series) }, steps)
end

return test_set
