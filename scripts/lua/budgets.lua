-- Which batch size is best under a budget of epochs, steps, seconds or money. Every size is retuned for the
-- budget itself, from runs that exist where they are long enough.
--
-- Example: 2 epochs give batch 32 many small updates and batch 1,024 few large ones. Each is tuned for
-- its own number of updates, the median seed's value at the end counts, and the lowest value is best.
local candidates = require "candidates"
local check = require "check"
local grid = require "grid"
local race = require "race"
local budgets = {}

local function plural(amount, one)
  return string.format("%s %s%s", math.type(amount) == "integer" and check.commas(amount) or
    string.format("%g", amount), one, amount == 1 and "" or "s")
end

-- What a batch size pays once for the devices beyond its first, as the configuration declares.
local function upfront(exp, size, unit)
  local per_device = exp.config["cost.device_batch_size"]
  if not per_device then return 0 end
  return ((size + per_device - 1) // per_device - 1) * exp.config["cost.upfront_" .. unit]
end

-- The kinds of budget: how people read one, and what it allows a batch size. `seconds` is the recorded
-- time of one step at that size.
local kinds = {
  { name = "epochs", label = function(n) return plural(n, "epoch") end,
    limit = function(n) return { max_epochs = n } end },
  { name = "steps", label = function(n) return plural(n, "step") end,
    limit = function(n) return { max_steps = n } end },
  { name = "seconds", timed = true, label = function(n) return string.format("%g s", n) end,
    limit = function(n, exp, size, seconds)
      return { max_steps = math.floor((n - upfront(exp, size, "seconds")) / seconds) }
    end },
  { name = "cost", timed = true,
    label = function(n, exp) return string.format("%g %s", n, exp.config["cost.currency"]) end,
    limit = function(n, exp, size, seconds)
      local core_hours = n / exp.config["cost.per_core_hour"] - upfront(exp, size, "core_hours")
      return { max_steps = math.floor(core_hours * 3600 / seconds) }
    end },
}

-- The run with the median value; of an even number the better of the middle two. A run that diverged or
-- did not fit counts as math.huge.
local function median_run(results)
  local order = {}
  for i, result in ipairs(results) do
    local last = result.evals[#result.evals]
    local ended = result.outcome == "budget" or result.outcome == "target"
    order[i] = { value = ended and last and last.value or math.huge, result = result, last = last }
  end
  table.sort(order, function(a, b) return a.value < b.value end)
  return order[(#order + 1) // 2]
end

-- The size's answer at the rate it was tuned to for the target; no other rate runs.
local function at_tuned_rate(exp, from, limit, title)
  local self = candidates.new(exp, {
    batch_size = from.batch_size, seeds = from.seeds, slack = 1, settings = from.settings, title = title,
    max_steps = limit.max_steps, max_epochs = limit.max_epochs,
  })
  local wanted = {}
  for seed = 1, #from.seeds do
    wanted[seed] = { key = 1, set = { learning_rate = from.learning_rate }, seed = seed,
      reason = string.format("the rate tuned for the target, read at the budget: %s, seed %d", title, from.seeds[seed]) }
  end
  self:run(wanted, false)
  return self:answer()
end

-- The size's answer with its rate retuned for the budget, beginning at the rates tuned for targets.
local function at_retuned_rate(exp, o, from, limit, title)
  local g = grid.resolve(exp, o.lr)
  local rate = from.learning_rate or g:rate(g:nearest(g:position(g.start)))
  local on_grid = g:rate(g:nearest(g:position(rate))) == rate
  return race.retune(exp, {
    batch_size = from.batch_size, lr = o.lr, lr_search = o.lr_search, center = from.rates or rate,
    anchor = not on_grid and rate or nil,
    seeds = from.seeds, settings = from.settings, title = title,
    max_steps = limit.max_steps, max_epochs = limit.max_epochs,
    because = from.learning_rate and "tuned for a target" or "the grid's start",
  })
end

-- One decision for a size under a budget; `is_best` where no size came to a lower value.
local function report(exp, o, size, is_best)
  local run = size.run
  local finite = run.value < math.huge
  local values = {}
  for i, result in ipairs(size.results) do
    local last = result.evals[#result.evals]
    values[i] = last and last.value or "diverged"
  end
  exp:decide {
    kind = "budget", series = o.series, budget = o.kind.name, amount = o.amount, batch_size = size.batch_size,
    learning_rate = size.learning_rate, steps = run.result.steps, run = run.result.run,
    value = finite and run.value or nil, runs = size.runs, values = values, best = is_best,
    bracketed = size.bracketed, retuned = size.bracketed ~= nil, seconds_per_step = size.seconds,
    text = string.format("%safter %s: batch %d at lr %.3g %s%s", check.series(o.series), o.label,
      size.batch_size, size.learning_rate, finite and string.format("comes to %.4g", run.value) or "has no result",
      is_best and ": the best" or ""),
  }
end

-- The answer of one size under the budget; nil, with a note, where no step fits.
local function run_size(exp, o, from)
  local size, label = from.batch_size, o.label
  local seconds = o.times and o.times[size]
  local limit = not (o.times and not seconds) and o.kind.limit(o.amount, exp, size, seconds)
  if not limit then
    exp:note(string.format("%s: batch %d has no time per step: it does not fit in memory", label, size))
    return nil
  elseif limit.max_steps and limit.max_steps < 1 then
    exp:note(string.format("%s: batch %d is left out: not one step fits (%.3g s each)", label, size, seconds))
    return nil
  end
  local title = string.format("%sbatch %d, budget of %s", check.series(o.series), size, label)
  local answer = o.retune and at_retuned_rate(exp, o, from, limit, title) or at_tuned_rate(exp, from, limit, title)
  if not answer.feasible then return nil end
  answer.run, answer.seconds = median_run(answer.results), seconds
  return answer
end

-- All sizes under one budget, with a decision for each; returns the best, or nil when none has a result.
local function judge(exp, o)
  local sizes, best, rates = {}, nil, {}
  for _, from in ipairs(o.from) do
    local size = run_size(exp, o, from)
    if size then
      sizes[#sizes + 1] = size
      if size.run.value < math.huge and (best == nil or size.run.value < best.run.value) then best = size end
    end
  end
  for _, size in ipairs(sizes) do
    rates[size.batch_size] = size.learning_rate
    report(exp, o, size, size == best)
  end
  if best == nil then return nil end
  return { value = best.run.value, batch_size = best.batch_size, learning_rate = best.learning_rate,
    rates = rates, budget = o.kind.name, amount = o.amount, label = o.label }
end

-- One amount or a list of them; 0 is none.
local function amounts(given, kind, fallback)
  local list = {}
  for i, amount in ipairs(type(given or fallback) == "table" and given or { given or fallback }) do
    list[i] = kind == "steps" and check.whole(amount, 0, kind) or check.number(amount, 0, kind)
  end
  return list
end

-- The budgets that are asked for, as { kind, amount }, and whether any needs the time of a step.
local function wanted_budgets(exp, o)
  local wanted, timed = {}, false
  for _, kind in ipairs(kinds) do
    for _, amount in ipairs(amounts(o[kind.name], kind.name, exp.config["sweep.budget_" .. kind.name])) do
      if kind.name == "cost" and amount > 0 and exp.config["cost.per_core_hour"] == 0 then
        error("a budget of cost needs a price: cost.per_core_hour is 0")
      end
      if amount > 0 then
        wanted[#wanted + 1] = { kind = kind, amount = amount }
        timed = timed or kind.timed or false
      end
    end
  end
  return wanted, timed
end

-- The sizes to judge: answers of critical_batch, or a list of sizes whose rates begin at the grid's start.
local function sizes_of(exp, o)
  if o.batch and o.from then error("budgets takes from or batch, not both") end
  if o.batch == nil then
    return o.from or error("budgets needs from: what critical_batch returned, or batch: a list of sizes")
  end
  if o.retune == false then error("budgets with batch has no rates to keep: retune cannot be false") end
  local list = {}
  for i, size in ipairs(check.batch_sizes(exp, o.batch)) do
    list[i] = { batch_size = size, seeds = check.seeds(exp, o.seeds), settings = o.settings }
  end
  return list
end

-- compare(exp, { from = critical_batch(...), epochs = 2, steps = 2000, seconds = 60, cost = 0.01 }).
-- Amounts may be lists. Returns, for each budget with a result, { budget, amount, label, batch_size,
-- learning_rate, value, rates = { [batch size] = rate } } of its best size.
function budgets.compare(exp, options)
  local o = check.options(options, { "epochs", "steps", "seconds", "cost", "from", "batch", "retune", "lr",
    "lr_search", "seeds", "settings", "series" }, "budgets")
  local from = sizes_of(exp, o)
  local wanted, timed = wanted_budgets(exp, o)
  if #from == 0 then return {} end
  local sizes, best, words = {}, {}, {}
  for i, answer in ipairs(from) do sizes[i] = answer.batch_size end
  local times = timed and exp:step_times(sizes) or nil
  for _, w in ipairs(wanted) do
    best[#best + 1] = judge(exp, { from = from, retune = o.retune ~= false, lr = o.lr, lr_search = o.lr_search,
      series = o.series, kind = w.kind, amount = w.amount, label = w.kind.label(w.amount, exp),
      times = w.kind.timed and times or nil })
  end
  for i, b in ipairs(best) do
    words[i] = string.format("%s: batch %d is best (%.4g)", b.label, b.batch_size, b.value)
  end
  if #words > 0 then exp:note(check.series(o.series) .. table.concat(words, "; ")) end
  return best
end

return budgets
