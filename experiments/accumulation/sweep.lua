-- Steps to an error with large batches; the timing pass that follows measures a step of each, whole or in
-- pieces of train.micro_batch examples.
local sweep = require "sweep"

return function(exp)
  sweep.critical_batch(exp, { retune = { lr = sweep.log2grid { step = exp.config["sweep.lr_step"] } } })
end
