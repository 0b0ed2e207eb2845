-- Which batch size for Rossmann: the learning rate retuned at every size, then what an epoch budget
-- and a step budget would have chosen. Sizes, targets, seeds and limits are in experiment.cfg.
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
