-- The published comparison, as published: the learning rate stays, only the batch size changes. A
-- decaying schedule's horizon is part of a run, so every run here goes to its end.
return function(exp)
  local config = exp.config
  local round = { title = "one-cycle" }
  for _, size in ipairs(config["sweep.batch_sizes"]) do
    for seed = 1, config["sweep.seeds"] do
      round[#round + 1] = {
        batch_size = size, learning_rate = config["train.learning_rate"], seed = seed,
        max_epochs = config["sweep.max_epochs"], reason = "the published recipe at batch " .. size,
      }
    end
  end
  for i, result in ipairs(exp:run(round)) do
    local last = result.evals[#result.evals]
    if last then -- none where memory did not suffice
      local mean = last.batch_mean and string.format(" (mean over batches %.4f)", last.batch_mean) or ""
      exp:note(string.format("batch %d, seed %d: %s %.4f%s after %d steps", round[i].batch_size,
        round[i].seed, config["metric"], last.value, mean, result.steps))
    end
  end
end
