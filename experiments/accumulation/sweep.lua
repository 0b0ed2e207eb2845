-- Steps to an error with large batches; the timing pass that follows measures a step of each, whole or in
-- pieces of train.micro_batch examples.
local sweep = require "sweep"

return function(exp)
  local config = exp.config
  local points = sweep.critical_batch(exp, {
    batch = config["sweep.batch_sizes"],
    retune = { lr = sweep.log2grid { step = config["sweep.lr_step"] }, rule = config["sweep.lr_rule"] },
    seeds = config["sweep.seeds"],
  })
  sweep.budgets(exp, { from = points, epochs = config["sweep.budget_epochs"], steps = config["sweep.budget_steps"] })
end
