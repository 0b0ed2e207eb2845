-- Every rate of the grid at every batch size, with a constant and a cosine schedule, for four budgets: a 64th, a 16th
-- and a quarter of sweep.max_epochs, and all of it. For each schedule and seed the best rate is read against the
-- budget, at the middle batch size and at the size that is best for the budget; the slope of the logarithms is the
-- answer, with Student's interval over the seeds.
local sweep = require "sweep"

local steps_apart, budgets = 4, 4

-- Steps of budget k at a batch size; those of the first budget times 4, 16 and 64.
local function steps_of(exp, size, k)
  local first = exp.config["sweep.max_epochs"] * exp.epoch_rows / size / steps_apart ^ (budgets - 1)
  return math.max(1, math.floor(first)) * math.tointeger(steps_apart ^ (k - 1))
end

-- One run answers all budgets of a constant rate; a decayed one is a run for each.
local schedules = {
  { name = "constant", trials = function(exp, size)
    return { { max_steps = steps_of(exp, size, budgets), ["eval.first"] = steps_of(exp, size, 1), ["eval.growth"] = steps_apart } }
  end, values = function(results)
    local values = {}
    for k = 1, budgets do values[k] = results[1].evals[k] and results[1].evals[k].value or math.huge end
    return values
  end },
  { name = "cosine", trials = function(exp, size)
    local trials = {}
    for k = 1, budgets do
      local steps = steps_of(exp, size, k)
      trials[k] = { max_steps = steps, ["eval.first"] = steps, ["schedule.name"] = "cosine",
        ["schedule.horizon_epochs"] = steps * size / exp.epoch_rows }
    end
    return trials
  end, values = function(results)
    local values = {}
    for k = 1, budgets do values[k] = results[k].evals[1] and results[k].evals[1].value or math.huge end
    return values
  end },
}

-- values[rate index][k], for one schedule, size and seed.
local function run(exp, schedule, size, seed, rates)
  local round, per_rate = { title = string.format("%s, batch %d, seed %d", schedule.name, size, seed) }, 0
  for _, rate in ipairs(rates) do
    local trials = schedule.trials(exp, size)
    per_rate = #trials
    for _, trial in ipairs(trials) do
      trial.batch_size, trial.learning_rate, trial.seed = size, rate, seed
      trial.reason = "a rate of the grid, " .. schedule.name
      round[#round + 1] = trial
    end
  end
  local results, values = exp:run(round), {}
  for i = 1, #rates do
    values[i] = schedule.values(table.move(results, (i - 1) * per_rate + 1, i * per_rate, 1, {}))
  end
  return values
end

-- The best rate's place on the grid of indices for budget k: the vertex of the parabola through the lowest value
-- and its neighbours. Also the lowest value, and whether the grid has a neighbour on both sides.
local function best_of(values, k)
  local best = 1
  for i = 2, #values do
    if values[i][k] < values[best][k] then best = i end
  end
  local low, at, high = values[best - 1], values[best][k], values[best + 1]
  if not low or not high or low[k] == math.huge or high[k] == math.huge then return best, at, low ~= nil and high ~= nil end
  local a, b = low[k] - at, high[k] - at
  return a + b > 0 and best + 0.5 * (a - b) / (a + b) or best, at, true
end

-- Slope of a line through y[1], y[2], ... against k log2(4).
local function slope_of(y)
  local n, sum, moment, mean = #y, 0, 0, 0
  for k = 1, n do mean = mean + y[k] / n end
  for k = 1, n do
    local x = (k - (n + 1) / 2) * math.log(steps_apart, 2)
    sum, moment = sum + x * (y[k] - mean), moment + x * x
  end
  return sum / moment
end

-- Student's t at 97.5 % for 1, 2, ... degrees of freedom.
local t975 = { 12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262 }

-- Mean and half the width of its interval; without one for a single value.
local function interval(values)
  local n, mean, square = #values, 0, 0
  for _, v in ipairs(values) do mean = mean + v / n end
  for _, v in ipairs(values) do square = square + (v - mean) ^ 2 end
  return mean, n > 1 and (t975[n - 1] or 2) * math.sqrt(square / (n - 1) / n) or nil
end

local function report(exp, schedule, choice, places, sizes, edge, rates)
  local slopes, points, words = {}, {}, {}
  for s, place in ipairs(places) do slopes[s] = slope_of(place) end
  local mean, half = interval(slopes)
  for k = 1, budgets do
    local at = {}
    for s, place in ipairs(places) do at[s] = place[k] end
    local m, h = interval(at)
    local rate = math.log(rates[1], 2) + m - 1
    points[k] = { epochs = exp.config["sweep.max_epochs"] / steps_apart ^ (budgets - k), log2_rate = rate, half = h, batch_size = sizes[k] }
    words[k] = string.format("%.3g%s", 2 ^ rate, choice == "best" and string.format(" at %d", sizes[k]) or "")
  end
  exp:decide { kind = "custom", text = string.format("%s, %s batch size: best rates %s; d log rate / d log examples = %+.2f%s%s",
      schedule, choice, table.concat(words, ", "), mean,
      half and string.format(" (%+.2f to %+.2f)", mean - half, mean + half) or "",
      edge and "; a best rate is at the grid's edge" or ""),
    data = { rate_over_budget = schedule, choice = choice, slope = mean, half = half, points = points, edge = edge } }
end

return function(exp)
  local config, rates = exp.config, {}
  for k = math.floor(math.log(config["sweep.lr_min"], 2) + 0.5), math.floor(math.log(config["sweep.lr_max"], 2) + 0.5) do
    rates[#rates + 1] = 2.0 ^ k
  end
  local all = config["sweep.batch_sizes"]
  local middle = all[(#all + 1) // 2]
  for _, schedule in ipairs(schedules) do
    local seen, edge = {}, { fixed = false, best = false }
    for _, size in ipairs(all) do
      seen[size] = {}
      for s = 1, config["sweep.seeds"] do seen[size][s] = run(exp, schedule, size, config["train.seed"] + s - 1, rates) end
    end
    -- The size with the lowest mean of its seeds' lowest values, for each budget.
    local best, fixed_places, best_places, fixed_sizes = {}, {}, {}, {}
    for k = 1, budgets do
      local lowest = math.huge
      for _, size in ipairs(all) do
        local sum = 0
        for _, v in ipairs(seen[size]) do sum = sum + select(2, best_of(v, k)) end
        if sum < lowest then lowest, best[k] = sum, size end
      end
      fixed_sizes[k] = middle
    end
    for s = 1, config["sweep.seeds"] do
      fixed_places[s], best_places[s] = {}, {}
      for k = 1, budgets do
        local inside, _
        fixed_places[s][k], _, inside = best_of(seen[middle][s], k)
        edge.fixed = edge.fixed or not inside
        best_places[s][k], _, inside = best_of(seen[best[k]][s], k)
        edge.best = edge.best or not inside
      end
    end
    report(exp, schedule.name, "fixed", fixed_places, fixed_sizes, edge.fixed, rates)
    report(exp, schedule.name, "best", best_places, best, edge.best, rates)
  end
end
