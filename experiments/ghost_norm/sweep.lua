-- The error after the same number of steps against batch size, the learning rate retuned at every size,
-- for batch norm over the whole batch, ghost batch norm and none.
local sweep = require "sweep"

return function(exp)
  local config = exp.config
  for _, norm in ipairs { "none", "batch", "ghost" } do
    sweep.budgets(exp, {
      series = norm == "none" and "no norm" or norm .. " norm", settings = { ["model.norm"] = norm },
      batch = config["sweep.batch_sizes"], steps = config["sweep.budget_steps"], epochs = 0,
    })
  end
end
