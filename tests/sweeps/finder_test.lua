-- The learning-rate finder: its three suggestions on losses whose answer is known, and what they are judged by.
local sweep = require "sweep"
local t = require "testing"

-- 100 steps from 2^-20 to 2^13, a third of an octave each: rate 2^(-20 + (i - 1) / 3).
local wide = { lr_min = 2 ^ -20, lr_max = 2.0 ^ 13, steps = 100 }
local function with(more)
  local all = {}
  for name, value in pairs(wide) do all[name] = value end
  for name, value in pairs(more) do all[name] = value end
  return all
end

-- Losses of a finder's run as evaluations.
local function course(loss_at)
  local evals = {}
  for i = 1, 100 do evals[i] = { step = i, value = 1, train_loss = loss_at(i) } end
  return evals
end

local function found(exp, loss_at, more)
  local own, log = t.scripted(exp, function() return course(loss_at), "budget" end)
  local answers = sweep.lr_find(own, with(more or { batch = { 64 } }))
  local by_name = {}
  for _, s in ipairs(answers[1].suggestions) do by_name[s.name] = s.learning_rate or "none" end
  return by_name, log
end

local function near(rate, step)
  local want = 2.0 ^ (-20 + (step - 1) / 3)
  if rate == "none" or math.abs(rate / want - 1) > 1e-5 then
    error(string.format("%s is not the rate of step %d, %.9g", rate, step, want))
  end
end

-- The smoothing of finder.lua by its definition: weights 0.98^k of the past, which add up to 1.
local function smoothed(loss_at, i)
  local sum, weights = 0, 0
  for k = 1, i do
    sum, weights = sum + 0.98 ^ (i - k) * loss_at(k), weights + 0.98 ^ (i - k)
  end
  return sum / weights
end

return t.cases {
  { "one run of growing rates", function(exp)
    local _, log = found(exp, function(i) return 2 - i / 100 end)
    assert(#log == 1)
    local trial = log[1]
    assert(trial["schedule.name"] == "exponential" and trial["schedule.div_factor"] == 2.0 ^ 33)
    assert(trial.learning_rate == 2.0 ^ 13 and trial.max_steps == 100 and trial["eval.growth"] == 1)
    assert(math.floor(trial["schedule.horizon_epochs"] * exp.epoch_rows / 64 + 0.5) == 100)
  end },

  -- A valley from step 30 to 60, then the wall: each suggestion against its definition on the smoothed losses.
  { "three suggestions", function(exp)
    local function loss_at(i)
      if i < 30 then return 2.3 elseif i < 60 then return 2.3 - (i - 30) * 0.06 end
      return 0.5 + (i - 60) ^ 2 * 0.2
    end
    local by_name = found(exp, loss_at)
    local lowest, lowest_at, fall, fall_at, last = math.huge, nil, 0, nil, 100
    for i = 1, 100 do
      if smoothed(loss_at, i) > 4 * lowest then
        last = i - 1
        break
      end
      lowest = math.min(lowest, smoothed(loss_at, i))
    end
    lowest = math.huge
    for i = 11, last - 5 do
      local here = smoothed(loss_at, i)
      if here < lowest then lowest, lowest_at = here, i end
      if i > 11 and i < last - 5 then
        local slope = smoothed(loss_at, i + 1) - smoothed(loss_at, i - 1)
        if slope < fall then fall, fall_at = slope, i end
      end
    end
    near(by_name["minimum/10"] * 10, lowest_at)
    near(by_name["steepest"], fall_at)
    assert(fall_at > 31 and fall_at < lowest_at)
    -- The smoothed loss falls strictly from step 30, which is as high as those before, to its lowest.
    local length = lowest_at - 30 + 1
    near(by_name["valley"], lowest_at - length + length // 3 + length / 3 // 2)
  end },

  { "a run that diverges early", function(exp)
    local function loss_at(i) if i <= 40 then return 3 - i / 50 end end
    local by_name = found(exp, loss_at)
    near(by_name["minimum/10"] * 10, 35)
    local none = found(exp, function(i) if i <= 12 then return 1 end end)
    assert(none["steepest"] == "none" and none["valley"] == "none" and none["minimum/10"] == "none")
    local flat = found(exp, function() return 1.5 end)
    assert(flat["steepest"] == "none")
    assert(flat["valley"] == "none")
  end },

  -- Judged toward the target: 200 steps against 100 tuned, and one that never arrives.
  { "regret against the retuned rate", function(exp)
    local function loss_at(i) return i < 60 and 3 - i / 25 or 0.6 + (i - 60) end
    local lowest
    local own = t.scripted(exp, function(trial)
      if trial["schedule.name"] == "exponential" then return course(loss_at), "budget" end
      lowest = math.min(lowest or math.huge, trial.learning_rate)
      if trial.learning_rate > lowest * 1.5 then return { { step = 400, value = 1 } }, "budget" end
      return { { step = 150, value = 1 }, { step = 200, value = 0.1 } }, "target"
    end)
    local said
    own.decide = function(_, d) said = d end
    local answer = { batch_size = 64, learning_rate = 0.25, steps = 100, target = 0.2, seeds = { 1 }, settings = {} }
    local lost = { batch_size = 128, censored = true, seeds = { 1 } }
    local judged = sweep.lr_find(own, with { from = { answer, lost } })
    assert(#judged == 1 and judged[1].batch_size == 64)
    local arrived, bounds = 0, 0
    for _, s in ipairs(judged[1].suggestions) do
      if s.at_least then bounds = bounds + 1 else arrived = arrived + 1 end
      assert(s.regret == (s.at_least and 4 or 2))
    end
    assert(arrived >= 1 and arrived + bounds == 3)
    assert(said.kind == "custom" and said.data.finder == "learning_rate" and said.data.tuned == 0.25)
    assert(said.text:find("2.00 times the steps", 1, true) and said.text:find("retuned 0.25", 1, true))
  end },

  t.refused(function(exp) sweep.lr_find(exp, {}) end,
    "lr_find needs batch: a list of sizes, or from: what critical_batch returned"),
  t.refused(function(exp) sweep.lr_find(exp, { batch = { 64 }, lr_min = 1, lr_max = 1 }) end,
    "lr_find needs lr_min below lr_max"),
}
