-- The best validation error of each batch size with everything retuned by search, with the rate alone retuned, and
-- with nothing retuned. Sizes, steps, seeds and the margin are in experiment.cfg.
local sweep = require "sweep"

return function(exp)
  local config = exp.config
  sweep.quality(exp, {
    epochs = config["sweep.budget_epochs"], steps = config["sweep.budget_steps"], widen = 1,
    box = {
      sweep.log("learning_rate", 2 ^ -9, 2 ^ -2),
      sweep.log("1-momentum", 0.02, 0.5),
      sweep.log("weight_decay", 2 ^ -16, 2 ^ -7),
      sweep.linear("model.dropout", 0, 0.5),
    },
  })
end
