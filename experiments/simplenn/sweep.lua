-- Steps until the net knows most of the points by heart, the learning rate retuned at every size; what
-- epoch and step budgets would have chosen; and the rules keep, square root and linear judged.
local sweep = require "sweep"

return function(exp)
  local config = exp.config
  local points = sweep.critical_batch(exp, {
    batch = config["sweep.batch_sizes"],
    retune = { lr = sweep.log2grid { step = config["sweep.lr_step"] }, rule = config["sweep.lr_rule"] },
    seeds = config["sweep.seeds"],
  })
  sweep.rules(exp, { from = points, rules = { "keep", "sqrt", "linear" } })
  sweep.budgets(exp, { from = points, epochs = config["sweep.budget_epochs"], steps = config["sweep.budget_steps"] })
end
