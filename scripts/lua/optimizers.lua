-- Steps to target against batch size for several optimizers, each a series of its own with its learning
-- rate retuned at every size; then one evaluation on the test set where each took the fewest examples.
local check = require "check"
local critical = require "critical_batch"
local grid = require "grid"
local test_set = require "test_set"
local optimizers = {}

-- Momentum m adds up to 1 / (1 - m) gradients: its rates begin that much lower.
local function first_rate(config, name)
  local start = config["sweep.lr_start"]
  if name ~= "momentum" and name ~= "nesterov" then return start end
  return 2.0 ^ math.floor(math.log(start * (1 - config["optimizer.momentum"]), 2) + 0.5)
end

local function fewest_examples(points)
  local best
  for _, p in ipairs(points) do
    if not p.censored and (best == nil or p.steps * p.batch_size < best.steps * best.batch_size) then best = p end
  end
  return best
end

-- compare(exp, { names = { "sgd", "nesterov" } }): the points of each, by name.
function optimizers.compare(exp, options)
  local o = check.options(options, { "names" }, "optimizers")
  local tuned = {}
  for _, name in ipairs(o.names) do
    tuned[name] = critical.critical_batch(exp, {
      series = name, settings = { ["optimizer.name"] = name },
      retune = { lr = grid.log2grid { step = exp.config["sweep.lr_step"], start = first_rate(exp.config, name) } },
    })
  end
  for _, name in ipairs(o.names) do
    local best = fewest_examples(tuned[name])
    if best then test_set.evaluate(exp, { from = best, series = name }) end
  end
  return tuned
end

return optimizers
