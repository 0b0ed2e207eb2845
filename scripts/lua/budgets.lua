-- Which batch size a budget crowns: of epochs, steps, seconds or money. Every size is retuned for the
-- budget itself, from runs that exist where they are long enough.
local check = require "check"
local field = require "field"
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
  if per_device == 0 then return 0 end
  return ((size + per_device - 1) // per_device - 1) * exp.config["cost.upfront_" .. unit]
end

-- The kinds of budget: how people read one, and what it allows a batch size. `seconds` is the
-- recorded time of a step there.
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

-- The run in the middle by its value; of an even number the better of the middle two.
local function middle(results)
  local order = {}
  for i, result in ipairs(results) do
    local last = result.evals[#result.evals]
    local fine = result.outcome == "budget" or result.outcome == "target"
    order[i] = { value = fine and last and last.value or math.huge, result = result, last = last }
  end
  table.sort(order, function(a, b) return a.value < b.value end)
  return order[(#order + 1) // 2]
end

-- The point's own rate, without looking beside it.
local function as_it_is(exp, point, limit, title)
  local self = field.new(exp, {
    batch_size = point.batch_size, seeds = point.seeds, slack = 1, settings = point.settings, title = title,
    max_steps = limit.max_steps, max_epochs = limit.max_epochs,
  })
  local wanted = {}
  for seed = 1, #point.seeds do
    wanted[seed] = { key = 1, set = { learning_rate = point.learning_rate }, seed = seed,
      reason = string.format("the rate tuned for the target, read at the budget: %s, seed %d", title, point.seeds[seed]) }
  end
  self:run(wanted, false)
  return self:answer()
end

local function retuned(exp, o, point, limit, title)
  local g = grid.resolve(exp, o.lr)
  local rate = point.learning_rate or g:rate(g:nearest(g:position(g.start)))
  local on_grid = g:rate(g:nearest(g:position(rate))) == rate
  return race.retune(exp, {
    batch_size = point.batch_size, lr = o.lr, cover = o.cover, center = point.rates or rate, anchor = not on_grid and rate or nil,
    seeds = point.seeds, settings = point.settings, title = title,
    max_steps = limit.max_steps, max_epochs = limit.max_epochs,
    because = point.learning_rate and "tuned for a target" or "the grid's start",
  })
end

local function report(exp, kind, amount, label, point, best, seconds, crowned, series)
  local run = best.run
  local finite = run.value < math.huge
  local values = {}
  for i, result in ipairs(best.results) do
    local last = result.evals[#result.evals]
    values[i] = last and last.value or "diverged"
  end
  exp:decide {
    kind = "budget", series = series, budget = kind.name, amount = amount, batch_size = point.batch_size,
    learning_rate = best.learning_rate, steps = run.result.steps, run = run.result.run,
    value = finite and run.value or nil, runs = best.runs, values = values, crowned = crowned,
    bracketed = best.bracketed, retuned = best.bracketed ~= nil, seconds_per_step = seconds,
    text = string.format("%safter %s: batch %d at lr %.3g %s%s", check.series(series), label,
      point.batch_size, best.learning_rate, finite and string.format("comes to %.4g", run.value) or "has no result",
      crowned and ": the best" or ""),
  }
end

local function compare(exp, o, kind, amount, times)
  local label = kind.label(amount, exp)
  local found, crowned = {}, nil
  for _, point in ipairs(o.points) do
    local title = string.format("%sbatch %d, budget of %s", check.series(o.series), point.batch_size, label)
    local seconds = times and times[point.batch_size]
    local limit = not (times and not seconds) and kind.limit(amount, exp, point.batch_size, seconds)
    if not limit then
      exp:note(string.format("%s: batch %d has no time per step: it does not fit in memory", label, point.batch_size))
    elseif limit.max_steps and limit.max_steps < 1 then
      exp:note(string.format("%s: batch %d is left out: not one step fits (%.3g s each)", label, point.batch_size, seconds))
    else
      local best = o.retune and retuned(exp, o, point, limit, title) or as_it_is(exp, point, limit, title)
      if best.feasible then
        best.run, best.point, best.seconds = middle(best.results), point, seconds
        found[#found + 1] = best
        if best.run.value < math.huge and (crowned == nil or best.run.value < crowned.run.value) then crowned = best end
      end
    end
  end
  local rates = {}
  for _, best in ipairs(found) do
    rates[best.batch_size] = best.learning_rate
    report(exp, kind, amount, label, best.point, best, best.seconds, best == crowned, o.series)
  end
  if crowned == nil then return nil end
  return { value = crowned.run.value, batch_size = crowned.batch_size, learning_rate = crowned.learning_rate,
    rates = rates, budget = kind.name, amount = amount, label = label, verb = amount == 1 and "crowns" or "crown" }
end

-- One amount or a list of them; 0 is none.
local function amounts(given, kind, fallback)
  local list = {}
  for i, amount in ipairs(type(given or fallback) == "table" and given or { given or fallback }) do
    list[i] = kind == "steps" and check.whole(amount, 0, kind) or check.number(amount, 0, kind)
  end
  return list
end

-- compare(exp, { epochs = 2, steps = 2000, seconds = 60, cost = 0.01, points = critical_batch(...) })
function budgets.compare(exp, options)
  local o = check.options(options, { "epochs", "steps", "seconds", "cost", "points", "batch", "retune", "lr",
    "cover", "seeds", "settings", "series" }, "budgets")
  local points = o.points
  if o.batch then
    points = {}
    for i, size in ipairs(check.batch_sizes(exp, o.batch)) do
      points[i] = { batch_size = size, seeds = check.seeds(exp, o.seeds), settings = o.settings }
    end
  end
  if points == nil then error("budgets needs points: what critical_batch returned, or batch: a list of sizes") end
  if o.retune == false and o.batch then error("budgets with batch has no rates to keep: retune cannot be false") end
  local sizes, wanted, timed = {}, {}, false
  for i, point in ipairs(points) do sizes[i] = point.batch_size end
  for _, kind in ipairs(kinds) do
    for _, amount in ipairs(amounts(o[kind.name], kind.name, exp.config["sweep.budget_" .. kind.name])) do
      if kind.name == "cost" and amount > 0 and exp.config["cost.per_core_hour"] == 0 then
        error("a budget of cost needs a price: cost.per_core_hour is 0")
      end
      if amount > 0 then wanted[#wanted + 1] = { kind = kind, amount = amount } end
      timed = timed or (amount > 0 and kind.timed or false)
    end
  end
  if #points == 0 then return {} end
  local times = timed and exp:step_times(sizes) or nil
  local crowned, words = {}, {}
  for _, w in ipairs(wanted) do
    crowned[#crowned + 1] = compare(exp, { points = points, retune = o.retune ~= false, lr = o.lr, cover = o.cover,
      series = o.series }, w.kind, w.amount, w.kind.timed and times or nil)
  end
  for i, c in ipairs(crowned) do
    words[i] = string.format("%s %s batch %d (%.4g)", c.label, c.verb, c.batch_size, c.value)
  end
  if #words > 0 then exp:note(check.series(o.series) .. table.concat(words, "; ")) end
  return crowned
end

return budgets
