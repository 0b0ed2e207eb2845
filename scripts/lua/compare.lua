-- Two batch sizes against each other on seeds of their own. The seeds that chose the learning rates favour
-- the size that was lucky with them. The seeds here took no part in the choice, and each of them is run
-- at both sizes, so that the sizes differ in pairs of runs.
local check = require "check"
local compare = {}

local function find(answers, size)
  for _, answer in ipairs(answers) do
    if answer.batch_size == size then return answer end
  end
  error("compare: batch size " .. size .. " is not among those tried")
end

-- `count` seeds above all that any answer used.
local function unused_seeds(answers, count)
  local last = 0
  for _, answer in ipairs(answers) do
    for _, seed in ipairs(answer.seeds) do last = math.max(last, seed) end
  end
  local seeds = {}
  for i = 1, count do seeds[i] = last + i end
  return seeds
end

-- Runs both sizes with every seed in one round, at rates[1] and rates[2]. Returns results[1][s] and
-- results[2][s].
local function run_both(exp, both, rates, seeds, limit, title)
  local trials = { title = title }
  for i, answer in ipairs(both) do
    for _, seed in ipairs(seeds) do
      local trial = {}
      for name, value in pairs(answer.settings or {}) do trial[name] = value end
      trial.batch_size, trial.learning_rate, trial.seed = answer.batch_size, rates[i], seed
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

-- Adds to the decision what the pair comes to within an epoch budget, at the rates tuned for it. Leaves it
-- as it is where a size has no such rate.
local function add_budget(exp, decision, both, seeds, budget, title)
  local rates = { budget.rates[both[1].batch_size], budget.rates[both[2].batch_size] }
  if not (rates[1] and rates[2]) then return end
  local label = string.format("%s within %g epoch%s", title, budget.amount, budget.amount == 1 and "" or "s")
  local results = run_both(exp, both, rates, seeds, { epochs = budget.amount }, label)
  decision.budget_epochs, decision.budget_learning_rates = budget.amount, rates
  decision.budget_runs = runs_of(results)
  decision.budget_steps = { results[1][1].steps, results[2][1].steps }
end

local function compare_pair(exp, both, seeds, budget)
  local title = string.format("batch %d against %d", both[2].batch_size, both[1].batch_size)
  local rates = { both[1].learning_rate, both[2].learning_rate }
  local results = run_both(exp, both, rates, seeds, { target = both[1].target,
    epochs = exp.config["sweep.max_epochs"], steps = exp.config["sweep.max_steps"] }, title)
  local ratios = {}
  for s = 1, #seeds do
    local first, second = results[1][s].target_step, results[2][s].target_step
    if first and second then ratios[#ratios + 1] = second / first end
  end
  local decision = {
    kind = "compare", target = both[1].target, runs = runs_of(results), learning_rates = rates,
    batch_sizes = { both[1].batch_size, both[2].batch_size },
    text = title .. ": " .. (#ratios == 0 and "no pair of seeds reached the target"
      or string.format("%.3g times the steps, the median of %d pairs of seeds", check.median(ratios), #ratios)),
  }
  if budget then add_budget(exp, decision, both, seeds, budget, title) end
  exp:decide(decision)
end

-- The last epoch budget of a list that sweep.budgets returned; nil when there is none.
local function epoch_budget(budgets)
  local last
  for _, budget in ipairs(budgets or {}) do
    if budget.budget == "epochs" then last = budget end
  end
  return last
end

-- compare(exp, { pairs = { { 64, 512 } }, seeds = 10, from = critical_batch(...), budgets = budgets(...) }):
-- the second size of each pair against the first, at the rates of `from` to their target and, where
-- `budgets` has an epoch budget, at its rates within it.
function compare.compare(exp, options)
  local o = check.options(options, { "pairs", "seeds", "from", "budgets" }, "compare")
  local list = o.pairs or exp.config["sweep.compare"]
  local count = check.whole(o.seeds or exp.config["sweep.compare_seeds"], 1, "the number of seeds")
  if #list > 0 and o.from == nil then error("compare needs from: what critical_batch returned") end
  local seeds = unused_seeds(o.from or {}, count)
  for _, sizes in ipairs(list) do
    if type(sizes) ~= "table" or #sizes ~= 2 then error("pairs are { { 64, 512 }, ... }") end
    compare_pair(exp, { find(o.from, sizes[1]), find(o.from, sizes[2]) }, seeds, epoch_budget(o.budgets))
  end
end

return compare
