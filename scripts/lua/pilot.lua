-- What `batchlab find` trains; engine/find reads it. In place of an experiment's sweep.lua, at the batch size of the
-- configuration:
--
-- 1. seconds of a step at five batch sizes;
-- 2. a learning-rate finder, whose three suggestions run for a quarter of the way with one seed. The rates twice and
--    half the best one follow, until the best has a worse rate on either side. Where sweep.lr_min is sweep.lr_max,
--    that rate is taken. Of a small budget, as with a table, a quarter of the way is long past the steps at which the
--    targets stand, and one seed's last value says little: there each rate has three seeds, and is judged by how soon
--    its values were low;
-- 3. the pilot: the best rate with three seeds to the end of the way. Its round is the last one.
--
-- Example: steps of 64 take 0.5 ms and sweep.max_epochs is 30 with 55,000 rows. A quarter of the budget is 6,445
-- steps, 3 s, and so is the way. Where that took longer than 20 s, the way is as long as 20 s allow. Where it is less
-- than 1,000 steps, as with a table of 200 rows, the way is up to 1,000 steps of the budget.
local finder = require "finder"

local parts, fewest, most_seconds, seeds, most_moves = 4, 1000, 20, 3, 6
-- Of fewer evaluations no target comes (bl_find_targets).
local least_evals = 10

-- Around the base size, at most the rows there are.
local function sizes_around(exp, size)
  local sizes = {}
  for _, factor in ipairs { 1 / 4, 1, 4, 8, 16 } do
    local at = math.max(1, math.min(math.floor(size * factor), exp.epoch_rows))
    if at > (sizes[#sizes] or 0) then sizes[#sizes + 1] = at end
  end
  return sizes
end

-- Steps of the pilot, at an evaluation.
local function way(exp, size, seconds, budget)
  local steps = math.max(budget / 4, math.min(budget, fewest))
  if exp.config["sweep.max_steps"] then steps = math.min(steps, exp.config["sweep.max_steps"]) end
  if seconds then steps = math.min(steps, most_seconds / seconds) end
  return exp:grid_floor(math.max(1, math.floor(steps)))
end

-- The value at the end; math.huge for a run that diverged.
local function last_value(result)
  local last = result.evals[#result.evals]
  return result.outcome == "budget" and last and last.value or math.huge
end

-- The mean, over evaluations from an eighth of the run on, of the lowest value so far; math.huge for a run that
-- diverged. Evaluations stand at even distances of log steps, so that a value reached twice as soon counts as much
-- anywhere.
local function low_soon(result)
  if result.outcome ~= "budget" then return math.huge end
  local least, sum, n = math.huge, 0, 0
  for _, eval in ipairs(result.evals) do
    least = math.min(least, eval.value)
    if 8 * eval.step >= result.steps then sum, n = sum + least, n + 1 end
  end
  return n > 0 and sum / n or math.huge
end

-- Runs those rates that have not run, for a quarter of the way. `values` is by rate: the mean over the seeds. Where
-- there is a schedule, these runs have all of it, and their last values count: in a warm-up, the highest rate is always the fastest.
local function try(exp, o, rates, values)
  local round = { title = "rates for the pilot" }
  for _, rate in ipairs(rates) do
    if not values[rate] and rate >= o.lr_min and rate <= o.lr_max then
      for seed = o.seed, o.seed + o.seeds - 1 do
        round[#round + 1] = { batch_size = o.size, learning_rate = rate, seed = seed, max_steps = o.quarter,
          ["schedule.horizon_epochs"] = o.horizon_epochs, reason = "a rate for the pilot" }
      end
      values[rate] = 0
    end
  end
  if #round == 0 then return false end
  for i, result in ipairs(exp:run(round)) do
    local rate = round[i].learning_rate
    values[rate] = values[rate] + o.value_of(result) / o.seeds
  end
  return true
end

-- The rate with the lowest value, the lower one of equals.
local function best_of(values)
  local best
  for rate, value in pairs(values) do
    if best == nil or value < values[best] or (value == values[best] and rate < best) then best = rate end
  end
  return best
end

local function best_rate(exp, o)
  local rates, values = {}, {}
  if o.lr_min == o.lr_max then return o.lr_min end
  for _, row in ipairs(finder.lr_find(exp, { batch = { o.size }, steps = 200 })[1].suggestions) do
    if row.learning_rate then rates[#rates + 1] = row.learning_rate end
  end
  if #rates == 0 then rates[1] = exp.config["sweep.lr_start"] end
  try(exp, o, rates, values)
  for _ = 1, most_moves do
    local best = best_of(values)
    if not try(exp, o, { 2 * best, best / 2 }, values) then break end
  end
  local best = best_of(values)
  if values[best] == math.huge then error("every rate diverged, the lowest at " .. best .. ": lower sweep.lr_min", 0) end
  return best
end

-- All settings that make the way finer and longer, in one piece of advice (engine/find/find_run.c gives the same).
local function longer(exp, size, steps, budget)
  local advice, most = {}, exp.config["sweep.max_steps"]
  if exp.config["eval.growth"] > 1.2 then advice[1] = "eval.growth to 1.1" end
  if most and most < fewest then advice[#advice + 1] = "sweep.max_steps to " .. fewest end
  if budget < fewest then
    advice[#advice + 1] = string.format("sweep.max_epochs to %d", math.ceil(fewest * size / exp.epoch_rows))
  end
  if #advice > 0 then return "set " .. table.concat(advice, " and ") end
  return "the pilot's time of " .. most_seconds .. " s is over: a smaller model or train.batch_size has more steps"
end

-- A way that no target can come of is known before anything is trained.
local function check_way(exp, size, steps, budget)
  local evals, at = 0, steps
  while at >= 1 and evals < least_evals do
    evals = evals + 1
    at = at > 1 and exp:grid_floor(at - 1) < at and exp:grid_floor(at - 1) or 0
  end
  if evals >= least_evals then return end
  error(string.format("too few evaluations for a target, %d in the pilot's %d steps: %s", evals, steps,
    longer(exp, size, steps, budget)), 0)
end

return function(exp)
  local config = exp.config
  local size = math.min(config["train.batch_size"], exp.epoch_rows)
  local budget = config["sweep.max_epochs"] * exp.epoch_rows / size
  local few = budget < parts * fewest
  local steps = way(exp, size, exp:step_times(sizes_around(exp, size))[size], budget)
  check_way(exp, size, steps, budget)
  local quarter = exp:grid_ceil(math.max(1, steps // parts))
  local scheduled = config["schedule.name"] ~= "constant"
  local rate = best_rate(exp, { size = size, seed = config["train.seed"], lr_min = config["sweep.lr_min"],
    lr_max = config["sweep.lr_max"], quarter = quarter,
    horizon_epochs = scheduled and quarter * size / exp.epoch_rows or nil,
    seeds = few and seeds or 1, value_of = few and not scheduled and low_soon or last_value })
  exp:note(string.format("pilot: batch %d at rate %.3g, %d seeds, %d steps each", size, rate, seeds, steps))
  local pilot = { title = "pilot" }
  for i = 1, seeds do
    pilot[i] = { batch_size = size, learning_rate = rate, seed = config["train.seed"] + i - 1, max_steps = steps,
      reason = "the pilot, seed " .. config["train.seed"] + i - 1 }
  end
  exp:run(pilot)
end
