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

-- Both sizes with every seed, in one round; results[1][s] and results[2][s].
local function carry_out(exp, both, seeds, limit, title)
  local trials = { title = title }
  for _, point in ipairs(both) do
    for _, seed in ipairs(seeds) do
      local trial = {}
      for name, value in pairs(point.settings or {}) do trial[name] = value end
      trial.batch_size, trial.learning_rate, trial.seed = point.batch_size, point.learning_rate, seed
      trial.target, trial.max_epochs, trial.max_steps = limit.target, limit.epochs, limit.steps
      trial.reason = title .. ", fresh seed " .. seed
      trials[#trials + 1] = trial
    end
  end
  local flat = exp:run(trials)
  local results = { {}, {} }
  for i, result in ipairs(flat) do
    results[i <= #seeds and 1 or 2][(i - 1) % #seeds + 1] = result
  end
  return results
end

local function one_pair(exp, both, seeds, epochs)
  local title = string.format("batch %d against %d", both[2].batch_size, both[1].batch_size)
  local results = carry_out(exp, both, seeds,
    { target = both[1].target, epochs = exp.config["sweep.max_epochs"], steps = exp.config["sweep.max_steps"] }, title)
  local runs, ratios = { {}, {} }, {}
  for s = 1, #seeds do
    local first, second = results[1][s], results[2][s]
    runs[1][s], runs[2][s] = first.run, second.run
    if first.hit and second.hit then ratios[#ratios + 1] = second.hit / first.hit end
  end
  local decision = {
    kind = "compare", target = both[1].target, runs = runs,
    batch_sizes = { both[1].batch_size, both[2].batch_size },
    learning_rates = { both[1].learning_rate, both[2].learning_rate },
    text = title .. ": " .. (#ratios == 0 and "no pair of seeds reached the target"
      or string.format("%.3g times the steps, the median of %d pairs of seeds", check.median(ratios), #ratios)),
  }
  if epochs > 0 then
    local within = carry_out(exp, both, seeds, { epochs = epochs },
      string.format("%s within %g epoch%s", title, epochs, epochs == 1 and "" or "s"))
    decision.budget_epochs = epochs
    decision.budget_steps = { within[1][1].steps, within[2][1].steps }
  end
  exp:decide(decision)
end

-- compare(exp, { pairs = { 64, 512 }, seeds = 10, epochs = 1, points = critical_batch(...) }): the
-- second of each pair against the first, at the rates of `points`, to their target and, where epochs
-- is above 0, after as many epochs.
function compare.compare(exp, options)
  local o = check.options(options, { "pairs", "seeds", "epochs", "points" }, "compare")
  local sizes = o.pairs or exp.config["sweep.compare"]
  local count = check.whole(o.seeds or exp.config["sweep.compare_seeds"], 1, "the number of seeds")
  local epochs = check.number(o.epochs or exp.config["sweep.budget_epochs"], 0, "epochs")
  if #sizes % 2 ~= 0 then error("compare takes pairs of batch sizes, not " .. #sizes .. " of them") end
  if #sizes > 0 and o.points == nil then error("compare needs points: what critical_batch returned") end
  local seeds = fresh_seeds(o.points or {}, count)
  for i = 1, #sizes, 2 do
    one_pair(exp, { find(o.points, sizes[i]), find(o.points, sizes[i + 1]) }, seeds, epochs)
  end
end

return compare
