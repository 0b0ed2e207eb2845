-- Which batch size for Rossmann: the learning rate retuned at every size, what budgets of epochs,
-- steps, time and money would have chosen, what following a rule costs, and the article's two sizes against
-- each other on fresh seeds. Sizes, targets, seeds and limits are in experiment.cfg.
local sweep = require "sweep"

return function(exp)
  local config = exp.config
  local points = sweep.critical_batch(exp, {
    batch = config["sweep.batch_sizes"],
    retune = { lr = sweep.log2grid { step = config["sweep.lr_step"] }, rule = config["sweep.lr_rule"] },
    seeds = config["sweep.seeds"],
  })
  local budgets = sweep.budgets(exp, { from = points, epochs = config["sweep.budget_epochs"],
    steps = config["sweep.budget_steps"] })
  if config["sweep.rules_limit"] then sweep.rules(exp, { from = points }) end
  sweep.compare(exp, { from = points, budgets = budgets, pairs = config["sweep.compare"],
    seeds = config["sweep.compare_seeds"] })
end
