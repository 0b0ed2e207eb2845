-- Steps to an error against batch size for SGD, momentum and Nesterov's momentum; with sweep.rules_limit, what it
-- costs to follow a rule for the rate of the last. Without a target: one run as the configuration has it, and its
-- error on the test rows. Sizes, targets, seeds and limits are in
-- experiment.cfg.
local sweep = require "sweep"

return function(exp)
  local config = exp.config
  if #config["sweep.targets"] > 0 then
    local tuned = sweep.optimizers(exp, { names = { "sgd", "momentum", "nesterov" } })
    if config["sweep.rules_limit"] then sweep.rules(exp, { from = tuned.nesterov, alpha = 1 }) end
    return
  end
  sweep.evaluate_test_set(exp, { batch_size = config["train.batch_size"], learning_rate = config["train.learning_rate"],
    max_epochs = config["sweep.max_epochs"] })
end
