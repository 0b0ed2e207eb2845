-- What a script sees of the experiment, of trials and of results.
local t = require "testing"

return t.cases {
  { "the experiment's fields", "eval.growth=2", function(exp)
    assert(exp.name == "" and exp.epoch_rows == 100000 and exp.synthetic == false)
    assert(exp.config["sweep.batch_sizes"][6] == 1024 and exp.config["momentum"] == 0.9)
    assert(exp:grid_floor(1000) == 512 and exp:grid_ceil(1000) == 1024)
    assert(exp:step_times { 64, 128 }[128] > exp:step_times { 64, 128 }[64])
  end },

  { "trials and results", "eval.growth=2", function(exp)
    local r = exp:run { title = "x",
      { batch_size = 2 ^ 7, learning_rate = 2 ^ -8, seed = 4, max_steps = 100, reason = "why" },
      { train_x = nil, learning_rate = 0.1 + 0.2, ["optimizer.momentum"] = .5, max_epochs = 0.0001, target = 0.2 } }
    assert(#r == 2 and r[1].batch_size == 128 and r[1].seed == 4 and r[1].max_steps == 64)
    assert(r[1].target_step == nil and r[1].outcome == "budget" and r[1].evals[7].step == 64)
    assert(r[1].previous_eval_step == 0 and r[1].learning_rate == 2 ^ -8 and #r[1].run == 12)
    assert(r[2].learning_rate == 0.1 + 0.2 and r[2].max_steps == 1 and r[2].outcome == "diverged")
  end },

  -- A round that was given up half way, by an error that was caught, leaves nothing behind.
  { "a round after one that failed", function(exp)
    t.refuses("trial 3: unknown setting 'bach_size', did you mean 'batch_size'?", function()
      exp.real:run { { seed = 1 }, { seed = 2 }, { bach_size = 5 } }
    end)
    t.refuses("trials 1 and 3 are the same run: leave one out", function()
      exp.real:run { { seed = 1 }, { seed = 2 }, { seed = 1 } }
    end)
    local r = exp.real:run { { seed = 7, max_steps = 5 } }
    assert(#r == 1 and r[1].seed == 7 and r[1].max_steps <= 5)
  end },
}
