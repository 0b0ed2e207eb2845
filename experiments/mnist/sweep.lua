-- Steps to an error against batch size for SGD, momentum and Nesterov's momentum, each with its learning
-- rate retuned at every size; then one look at the test rows at the size that took the fewest examples.
-- Sizes, targets, seeds and limits are in experiment.cfg.
local sweep = require "sweep"

-- Momentum m adds up to 1 / (1 - m) gradients: the rates begin that much lower.
local function first_rate(config, optimizer)
  local start = config["sweep.lr_start"]
  if optimizer == "sgd" then return start end
  return 2.0 ^ math.floor(math.log(start * (1 - config["optimizer.momentum"]), 2) + 0.5)
end

local function fewest_examples(points)
  local best
  for _, p in ipairs(points) do
    if not p.censored and (best == nil or p.steps * p.batch_size < best.steps * best.batch_size) then best = p end
  end
  return best
end

return function(exp)
  local config = exp.config
  if #config["sweep.targets"] == 0 then -- settled beforehand: one run, one look
    return sweep.test(exp, { batch_size = config["train.batch_size"], learning_rate = config["train.learning_rate"],
      max_epochs = config["sweep.max_epochs"] })
  end
  local tuned = {}
  for _, optimizer in ipairs { "sgd", "momentum", "nesterov" } do
    tuned[optimizer] = sweep.critical_batch(exp, {
      series = optimizer, settings = { ["optimizer.name"] = optimizer },
      retune = { lr = sweep.log2grid { start = first_rate(config, optimizer) } },
    })
  end
  for _, optimizer in ipairs { "sgd", "momentum", "nesterov" } do
    local best = fewest_examples(tuned[optimizer])
    if best then sweep.test(exp, { point = best, series = optimizer }) end
  end
end
