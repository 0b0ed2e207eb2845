-- Nothing is trained to a target here: one step at the smallest size, then the timing pass of all sizes says how
-- long a step of each takes. `batchlab machine power_of_two` says the same, and what fits.
return function(exp)
  local config = exp.config
  exp:run { title = "one step", { batch_size = config["sweep.batch_sizes"][1], learning_rate = 0.01, seed = 1,
    max_steps = config["sweep.max_steps"], reason = "a run to be timed" } }
  exp:note("Nothing was trained to a target: the times per step are the answer.")
end
