-- Does the batch size change the best validation value that can be reached? Each size trains for ample steps under
-- a schedule that decays to its last step, and the lowest value of the metric on a run's way counts. The sizes are
-- compared with the smallest three times:
--
--   all    every setting of the box is searched anew at every size, then its rate once more; or as `rate`, where
--          that is better
--   rate   the settings found at the smallest size, and the learning rate alone retuned
--   none   the settings and the rate found at the smallest size
--   half   as `all`, with half of the steps: whether the steps were ample
--
-- What is compared comes from fresh seeds, which chose nothing, the same at every size and in every part. Each size
-- and part is a decision of kind "custom" that names its runs; the report reads their logs, and says with a margin
-- whether sizes are equal (engine/report/quality.c).
local candidates = require "candidates"
local check = require "check"
local grid = require "grid"
local race = require "race"
local search = require "search"
local quality = {}

local WATCHED = 8 -- evaluations begin at this part of the steps: the same places of the way for every size

-- Steps of one run, at least `wanted`: the first evaluation and those that follow it by eval.growth, up to the last
-- step. Returns the number of steps and the step of the first evaluation.
local function steps_on_grid(exp, wanted)
  local growth = exp.config["eval.growth"]
  local first = math.max(1, math.floor(wanted / (WATCHED * growth)))
  while true do
    local step = first
    while step < math.min(wanted, WATCHED * first) do step = math.max(step + 1, math.ceil(step * growth)) end
    if step >= wanted then return step, first end
    first = first + 1
  end
end

-- What a size trains for: the larger of the epochs and the steps, with the schedule's end at its last step, and the
-- settings that every run has.
local function budget_of(exp, o, size, share)
  local wanted = math.max(1, math.ceil(share * math.max((o.epochs or 0) * exp.epoch_rows / size, o.steps or 0)))
  local steps, first = steps_on_grid(exp, wanted)
  local settings = { ["eval.first"] = first, ["schedule.horizon_epochs"] = steps * size / exp.epoch_rows }
  for name, value in pairs(o.settings) do settings[name] = value end
  return { steps = steps, settings = settings }
end

-- Settings of one run: those that were found, and what the budget sets.
local function joined(found, budget)
  local out = {}
  for name, value in pairs(found) do out[name] = value end
  for name, value in pairs(budget.settings) do out[name] = value end
  return out
end

-- What the box found, by the paths of its axes; budget settings are left out.
local function found_settings(answer, budget)
  local out = {}
  for name, value in pairs(answer.settings) do
    if budget.settings[name] == nil then out[name] = value end
  end
  return out
end

-- The rate alone, on a grid through `rate`, with `found` settings; `center` is where it begins. Nil where no rate has
-- a result.
local function retune_rate(exp, o, size, found, rate, center, because)
  local budget = budget_of(exp, o, size, 1)
  local answer = race.retune(exp, { batch_size = size, anchor = rate, center = center, seeds = o.seeds,
    max_steps = budget.steps, settings = joined(found, budget), lowest = true, because = because,
    title = string.format("batch %d, the rate alone", size) })
  if not answer.feasible or answer.value == math.huge then return nil end
  return { batch_size = size, learning_rate = answer.learning_rate, settings = found, value = answer.value,
    bracketed = answer.bracketed }
end

-- All settings of the box at one size; then the rate once more around what was found, since points are far apart.
local function retune_all(exp, o, size)
  local budget = budget_of(exp, o, size, 1)
  local answer = search.search(exp, { batch_size = size, box = o.box, trials = o.trials, finalists = o.finalists,
    widen = o.widen, seeds = o.seeds, max_steps = budget.steps, settings = budget.settings, lowest = true,
    title = string.format("batch %d, everything", size) })
  if not answer.feasible or answer.value == math.huge then return nil end
  local rate = answer.learning_rate
  local found = retune_rate(exp, o, size, found_settings(answer, budget), rate, rate, "the best point's rate")
  if found then found.words = search.describe(answer) end
  return found
end

-- The rate alone at a larger size, with what was found at the smallest, beginning where the rule puts it.
local function follow(exp, o, base, size)
  local g = grid.resolve(exp, nil, base.learning_rate)
  local shift = grid.shift(g, exp.config["sweep.lr_rule"], size / base.batch_size)
  return retune_rate(exp, o, size, base.settings, base.learning_rate, g:rate(g:nearest(shift)),
    "the smallest size's rate, moved by the rule")
end

-- The better of two by the value on the seeds that chose; either may be nil. A search of few points misses what the
-- smallest size's settings would have given, so these compete.
local function better(searched, followed)
  if searched and (followed == nil or searched.value < followed.value) then return searched end
  if followed == nil then return nil end
  local out = {}
  for name, value in pairs(followed) do out[name] = value end
  out.words = "the smallest size's settings: no point of the search is better"
  return out
end

-- Everything that is compared, in the order of the decisions. The smallest size is its own base in every part.
local function parts_of(exp, o)
  local base = retune_all(exp, o, o.batch[1])
  if base == nil then return {} end
  local found, list = { all = { base }, rate = { base }, none = { base }, half = { base } }, {}
  for i = 2, #o.batch do
    local size = o.batch[i]
    local followed = follow(exp, o, base, size)
    local all = better(retune_all(exp, o, size), followed)
    if all then
      table.insert(found.all, all)
      table.insert(found.half, all)
    end
    if followed then table.insert(found.rate, followed) end
    table.insert(found.none, { batch_size = size, learning_rate = base.learning_rate, settings = base.settings })
  end
  for _, part in ipairs { "all", "rate", "none", "half" } do
    for _, from in ipairs(found[part]) do
      list[#list + 1] = { part = part, batch_size = from.batch_size, learning_rate = from.learning_rate,
        settings = from.settings, budget = budget_of(exp, o, from.batch_size, part == "half" and 0.5 or 1),
        bracketed = from.bracketed, words = from.words }
    end
  end
  return list
end

-- Seeds above those that chose.
local function fresh_seeds(o)
  local last, seeds = 0, {}
  for _, seed in ipairs(o.seeds) do last = math.max(last, seed) end
  for i = 1, o.fresh do seeds[i] = last + i end
  return seeds
end

quality.words = { all = "everything retuned", rate = "the rate alone retuned", none = "nothing retuned",
  half = "half of the steps" }

-- The settings of a box as a list of { last part of the name, number }, by name.
local function sorted_settings(settings)
  local list = {}
  for name, value in pairs(settings) do
    if type(value) == "table" then value = value[1] end
    if type(value) == "number" then list[#list + 1] = { name:match("[^.]+$"), value } end
  end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return list
end

-- The same text for entries whose runs are the same: the base of three parts, or a rate that retuning keeps.
local function key_of(entry)
  local words = { string.format("%d %a %d", entry.batch_size, entry.learning_rate, entry.budget.steps) }
  for _, setting in ipairs(sorted_settings(entry.settings)) do
    words[#words + 1] = string.format("%s %a", setting[1], setting[2])
  end
  return table.concat(words, " ")
end

-- Runs every part with every fresh seed in one round; equal runs are asked for once. Fills `results` of each.
local function run_fresh(exp, o, list)
  local round, owners, first = { title = "fresh seeds" }, {}, {}
  local seeds = fresh_seeds(o)
  for _, entry in ipairs(list) do
    local key = key_of(entry)
    entry.same = first[key]
    if not entry.same then
      first[key], entry.results = entry, {}
      for s, seed in ipairs(seeds) do
        local trial = joined(entry.settings, entry.budget)
        trial.batch_size, trial.learning_rate, trial.seed = entry.batch_size, entry.learning_rate, seed
        trial.max_steps = entry.budget.steps
        trial.reason = string.format("%s, fresh seed %d", quality.words[entry.part], seed)
        round[#round + 1], owners[#owners + 1] = trial, { entry = entry, seed = s }
      end
    end
  end
  for i, result in ipairs(#round > 0 and exp:run(round) or {}) do
    owners[i].entry.results[owners[i].seed] = result
  end
  for _, entry in ipairs(list) do entry.results = entry.results or entry.same.results end
end

-- ", momentum 0.93, weight_decay 0.0004"
local function setting_words(settings)
  local words = {}
  for i, setting in ipairs(sorted_settings(settings)) do
    words[i] = string.format(", %s %.3g", setting[1], setting[2])
  end
  return table.concat(words)
end

local function report(exp, o, entry)
  local runs, values, sorted = {}, {}, {}
  for s, result in ipairs(entry.results) do
    local value = candidates.lowest_value(result)
    runs[s], sorted[s], values[s] = result.run, value, value < math.huge and value or "diverged"
  end
  local median = check.median(sorted)
  local text = string.format("%s, batch %d: %s after %s steps, lr %.3g%s%s", quality.words[entry.part],
    entry.batch_size, median < math.huge and string.format("%s %.4g", exp.config["metric"], median) or "no result",
    check.commas(entry.budget.steps), entry.learning_rate, setting_words(entry.settings),
    entry.words and entry.part == "all" and " (" .. entry.words .. ")" or "")
  exp:decide { kind = "custom", text = text, data = { quality = entry.part, batch_size = entry.batch_size,
    learning_rate = entry.learning_rate, settings = entry.settings, steps = entry.budget.steps, margin = o.margin,
    bracketed = entry.bracketed, runs = runs, values = values } }
  return { part = entry.part, batch_size = entry.batch_size, learning_rate = entry.learning_rate,
    settings = entry.settings, steps = entry.budget.steps, value = median, runs = runs }
end

-- compare(exp, { box = { sweep.log("learning_rate", ...), ... }, epochs = 10, steps = 500, margin = 0.05,
-- batch = { 16, 64 }, trials = 16, finalists = 3, widen = 2, seeds = 2, fresh = 13, settings = }): at least one of
-- epochs and steps; a size trains for the larger. Returns a list of { part, batch_size, learning_rate, settings,
-- steps, value, runs }, in the order of the parts above.
function quality.compare(exp, given)
  local o = check.options(given, { "box", "epochs", "steps", "margin", "batch", "trials", "finalists", "widen",
    "seeds", "fresh", "settings" }, "quality")
  if not o.epochs and not o.steps then error("quality needs epochs or steps: how long a run is") end
  local settings = o.settings or {}
  if (settings["schedule.name"] or exp.config["schedule.name"]) == "constant" then
    error("quality needs a schedule that decays: schedule.name is constant")
  end
  local self = { box = o.box, trials = o.trials, finalists = o.finalists, widen = o.widen, settings = settings,
    epochs = o.epochs and check.number(o.epochs, 0, "epochs", true),
    steps = o.steps and check.whole(o.steps, 1, "steps"),
    margin = check.number(o.margin or exp.config["sweep.margin"], 0, "margin", true),
    batch = check.batch_sizes(exp, o.batch or exp.config["sweep.batch_sizes"]), seeds = check.seeds(exp, o.seeds),
    fresh = check.whole(o.fresh or exp.config["sweep.compare_seeds"], 1, "fresh") }
  local list, out = parts_of(exp, self), {}
  run_fresh(exp, self, list)
  for i, entry in ipairs(list) do out[i] = report(exp, self, entry) end
  return out
end

return quality
