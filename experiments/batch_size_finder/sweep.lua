-- One run at a batch size B with probes of the gradient noise, and one at 2 B for the way that compares
-- two trainings. Then a learning-rate finder at each size: with a target its three rates are judged against
-- the retuned one, else they are only read.
local sweep = require "sweep"

return function(exp)
  local config = exp.config
  if config["noise.window"] > 0 then
    local trials = { title = "runs with probes of the gradient noise" }
    for i, size in ipairs(config["sweep.batch_sizes"]) do
      trials[i] = { batch_size = size, learning_rate = config["train.learning_rate"], seed = config["train.seed"],
        max_epochs = config["sweep.max_epochs"], reason = "probes at batch " .. size }
    end
    exp:run(trials)
  end
  local finder = { steps = config["data.rows"] and 40 or 200 }
  if #config["sweep.targets"] > 0 then
    finder.from = sweep.critical_batch(exp, {})
  else
    finder.batch = config["sweep.batch_sizes"]
  end
  sweep.lr_find(exp, finder)
end
