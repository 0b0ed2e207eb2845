-- Two batch sizes against each other on fresh seeds. The seeds that chose the learning rates favour
-- whoever was lucky with them; these took no part in the choice, and each is run at both sizes.
local check = require "check"
local compare = {}

local function find(points, size)
  for _, point in ipairs(points) do
    if point.batch_size == size then return point end
  end
  error("compare: batch size " .. size .. " is not among those tried")
end

local function fresh_seeds(points, count)
  local last = 0
  for _, point in ipairs(points) do
    for _, seed in ipairs(point.seeds) do last = math.max(last, seed) end
  end
  local seeds = {}
  for i = 1, count do seeds[i] = last + i end
  return seeds
end

-- Both sizes with every seed, in one round, at rates[1] and rates[2]; results[1][s] and results[2][s].
local function carry_out(exp, both, rates, seeds, limit, title)
  local trials = { title = title }
  for i, point in ipairs(both) do
    for _, seed in ipairs(seeds) do
      local trial = {}
      for name, value in pairs(point.settings or {}) do trial[name] = value end
      trial.batch_size, trial.learning_rate, trial.seed = point.batch_size, rates[i], seed
      trial.target, trial.max_epochs, trial.max_steps = limit.target, limit.epochs, limit.steps
      trial.reason = title .. ", fresh seed " .. seed
      trials[#trials + 1] = trial
    end
  end
  local results = { {}, {} }
  for i, result in ipairs(exp:run(trials)) do
    results[i <= #seeds and 1 or 2][(i - 1) % #seeds + 1] = result
  end
  return results
end

local function runs_of(results)
  local runs = { {}, {} }
  for i = 1, 2 do
    for s, result in ipairs(results[i]) do runs[i][s] = result.run end
  end
  return runs
end

local function one_pair(exp, both, seeds, within)
  local title = string.format("batch %d against %d", both[2].batch_size, both[1].batch_size)
  local rates = { both[1].learning_rate, both[2].learning_rate }
  local results = carry_out(exp, both, rates, seeds, { target = both[1].target,
    epochs = exp.config["sweep.max_epochs"], steps = exp.config["sweep.max_steps"] }, title)
  local ratios = {}
  for s = 1, #seeds do
    local first, second = results[1][s], results[2][s]
    if first.hit and second.hit then ratios[#ratios + 1] = second.hit / first.hit end
  end
  local decision = {
    kind = "compare", target = both[1].target, runs = runs_of(results), learning_rates = rates,
    batch_sizes = { both[1].batch_size, both[2].batch_size },
    text = title .. ": " .. (#ratios == 0 and "no pair of seeds reached the target"
      or string.format("%.3g times the steps, the median of %d pairs of seeds", check.median(ratios), #ratios)),
  }
  local there = within and { within.rates[both[1].batch_size], within.rates[both[2].batch_size] } or {}
  if there[1] and there[2] then
    local label = string.format("%s within %g epoch%s", title, within.amount, within.amount == 1 and "" or "s")
    local budget = carry_out(exp, both, there, seeds, { epochs = within.amount }, label)
    decision.budget_epochs, decision.budget_learning_rates = within.amount, there
    decision.budget_runs = runs_of(budget)
    decision.budget_steps = { budget[1][1].steps, budget[2][1].steps }
  end
  exp:decide(decision)
end

-- compare(exp, { pairs = { 64, 512 }, seeds = 10, points = critical_batch(...), within = budgets(...)[1] }):
-- the second of each pair against the first, at the rates of `points` to their target and, where
-- `within` is an epoch budget that was retuned for, at its rates within it.
function compare.compare(exp, options)
  local o = check.options(options, { "pairs", "seeds", "within", "points" }, "compare")
  local sizes = o.pairs or exp.config["sweep.compare"]
  local count = check.whole(o.seeds or exp.config["sweep.compare_seeds"], 1, "the number of seeds")
  if #sizes % 2 ~= 0 then error("compare takes pairs of batch sizes, not " .. #sizes .. " of them") end
  if #sizes > 0 and o.points == nil then error("compare needs points: what critical_batch returned") end
  if o.within and o.within.budget ~= "epochs" then error("compare's within is an epoch budget") end
  local seeds = fresh_seeds(o.points or {}, count)
  for i = 1, #sizes, 2 do
    one_pair(exp, { find(o.points, sizes[i]), find(o.points, sizes[i + 1]) }, seeds, o.within)
  end
end

return compare
