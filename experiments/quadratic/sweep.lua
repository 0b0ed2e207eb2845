-- Steps to target against batch size on a problem whose answer is known, the learning rate retuned at
-- every size; then what an epoch budget and a step budget would have chosen. With momentum the steps
-- have several valleys over the rates: the best has to beat a whole doubling on both sides.
local sweep = require "sweep"

return function(exp)
  local config = exp.config
  local step = config["sweep.lr_step"]
  local valleys = config["optimizer.name"] ~= "sgd"
  local points = sweep.critical_batch(exp, {
    batch = config["sweep.batch_sizes"],
    retune = {
      lr = sweep.log2grid { step = step }, rule = config["sweep.lr_rule"], 
      guard = valleys and math.ceil(1 / step) or nil,
    },
    seeds = config["sweep.seeds"],
  })
  sweep.budgets(exp, { from = points, epochs = config["sweep.budget_epochs"], steps = config["sweep.budget_steps"] })
end
