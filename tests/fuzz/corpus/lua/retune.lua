local sweep = require "sweep"
return function(exp)
  local points = sweep.critical_batch(exp, { target = 0.1, batch = sweep.pow2(16, 64), seeds = { 3, 4 }, retune = { lr = sweep.log2grid { step = 0.5, min = 2^-12, max = 1 }, rule = "linear" } })
  sweep.budgets(exp, { from = points, epochs = 1, steps = 10 })
end
