-- The one look at the test rows: a run that was settled on the validation rows is trained again, with
-- a single evaluation, at its last step, on all test rows.
local check = require "check"
local test = {}

-- One trial for each seed; `steps` is a number for all or a list. Its only evaluation is its last step.
local function looks(o, steps)
  local trials = { title = string.format("%sbatch %d, the test rows", o.head, o.batch_size) }
  for i, seed in ipairs(o.seeds) do
    local last = type(steps) == "table" and steps[i] or steps
    local trial = {}
    for name, value in pairs(o.settings or {}) do trial[name] = value end
    trial.batch_size, trial.learning_rate, trial.seed = o.batch_size, o.learning_rate, seed
    trial["data.split"], trial["data.eval_rows"] = "test", 0
    trial["eval.first"], trial.max_steps = last, last
    trial.reason = string.format("one look at the test rows after %s steps, seed %d", check.commas(last), seed)
    trials[i] = trial
  end
  return trials
end

local function look(exp, o, steps)
  local values, sorted, runs = {}, {}, {}
  for i, result in ipairs(exp:run(looks(o, steps))) do
    local last = result.evals[#result.evals]
    local value = last and last.value
    values[i], runs[i], sorted[i] = value or "diverged", result.run, value or math.huge
  end
  table.sort(sorted)
  local middle = sorted[(#sorted + 1) // 2]
  local text = string.format("test rows, %sbatch %d at lr %.3g: %s", o.head, o.batch_size, o.learning_rate,
    middle < math.huge and string.format("%s %.4g", exp.config["metric"], middle) or "no result")
  if #sorted > 1 and sorted[#sorted] < math.huge then
    text = text .. string.format(" (%.4g to %.4g, %d seeds)", sorted[1], sorted[#sorted], #sorted)
  end
  exp:decide {
    kind = "test", text = text, series = o.series, batch_size = o.batch_size, learning_rate = o.learning_rate,
    steps = steps, value = middle < math.huge and middle or nil, values = values, runs = runs,
  }
  return middle
end

-- Where each seed's run reached the point's target.
local function of_point(exp, point, series)
  local steps, seeds = {}, {}
  for _, p in ipairs(point.points) do
    if not p.censored then steps[#steps + 1], seeds[#seeds + 1] = p.steps, p.seed end
  end
  if #steps == 0 then return nil end
  return look(exp, { batch_size = point.batch_size, learning_rate = point.learning_rate, seeds = seeds,
    settings = point.settings, series = series, head = check.series(series) }, steps)
end

-- look(exp, { point = an answer of retune or critical_batch, series = name or nil }), each seed where it
-- reached its target; or look(exp, { batch_size, learning_rate, max_epochs or max_steps, seeds, settings }).
-- Returns the median of the metric, math.huge when it is not finite, nil when no seed arrived.
function test.look(exp, given)
  local o = check.options(given, { "point", "series", "batch_size", "learning_rate", "max_epochs", "max_steps", "seeds",
    "settings" }, "test")
  if o.point then return of_point(exp, o.point, o.series) end
  local size = check.batch_size(exp, o.batch_size)
  if not o.max_epochs == not o.max_steps then error("test needs a point, or max_epochs or max_steps") end
  local steps = o.max_steps and check.whole(o.max_steps, 1, "max_steps")
    or math.max(1, math.floor(check.number(o.max_epochs, 0, "max_epochs", true) * exp.epoch_rows / size))
  return look(exp, { batch_size = size, learning_rate = check.number(o.learning_rate, 0, "learning_rate", true),
    seeds = check.seeds(exp, o.seeds), settings = o.settings, series = o.series,
    head = check.series(o.series) }, steps)
end

return test
