-- Batch sizes and learning rates on grids of powers of two. A rate is known by its index k, which
-- stands for 2^(k * step): equal indices are equal bits, so neighbours of different batch sizes meet.
local check = require "check"
local grid = {}

-- pow2(32, 256): {32, 64, 128, 256}
function grid.pow2(low, high)
  low, high = check.whole(low, 1, "the first of pow2"), check.whole(high, 1, "the last of pow2")
  local sizes, size = {}, 1
  while size < low do size = size * 2 end
  while size <= high and size > 0 do
    sizes[#sizes + 1] = size
    size = size * 2
  end
  if #sizes == 0 then error("no power of two from " .. low .. " to " .. high) end
  return sizes
end

-- 2^x for an x with few binary digits behind the point. Powers of two are exact, roots by sqrt
-- correctly rounded: the same bits on every machine.
function grid.power(x)
  local whole = math.floor(x)
  local value, rest, root = 2.0 ^ whole, x - whole, 2.0
  while rest > 0 do
    root, rest = math.sqrt(root), rest * 2
    if rest >= 1 then value, rest = value * root, rest - 1 end
  end
  return value
end

local Grid = {}
Grid.__index = Grid

function Grid:rate(k) return self.anchor * grid.power(k * self.step) end

-- Index nearest to a position between grid points. Half-way goes down, by a margin that is wider
-- than any rounding of the logarithm.
function Grid:nearest(position)
  local k = math.ceil(position - 0.5 - 1e-6)
  return math.max(self.low, math.min(self.high, k))
end

function Grid:position(rate) return math.log(rate / self.anchor, 2) / self.step end

-- log2grid { step = 1, min = 2^-20, max = 16, start = 2^-10 }; step in powers of two, itself a power
-- of two. What is left out comes from the experiment's sweep.lr_... settings, when it is used.
function grid.log2grid(options)
  options = check.options(options, { "step", "min", "max", "start" }, "log2grid")
  for name, value in pairs(options) do check.number(value, 0, "log2grid's " .. name, true) end
  return options
end

-- With an anchor the grid is moved so that this rate is one of its points, index 0.
function grid.resolve(exp, options, anchor)
  options = grid.log2grid(options)
  local function setting(name) return options[name] or exp.config["sweep.lr_" .. name] end
  local g = setmetatable({ step = setting "step", start = setting "start", anchor = anchor or 1.0 }, Grid)
  local digits = g.step
  while digits < 1 do digits = digits * 2 end
  while digits > 1 do digits = digits / 2 end
  if digits ~= 1 or g.step < 2 ^ -6 then
    error("the grid's step has to be a power of two from 1/64 up: 1, 0.5, 0.25, ...")
  end
  g.low = math.ceil(g:position(setting "min") - 1e-6)
  g.high = math.floor(g:position(setting "max") + 1e-6)
  if g.low > g.high then error("no learning rate of the grid lies within its limits") end
  return g
end

-- How far the best rate moves, in grid points, when the batch size grows by `factor`.
local rules = { keep = 0, sqrt = 0.5, linear = 1 }

function grid.shift(g, rule, factor)
  local exponent = rules[rule]
  if exponent == nil then error("the rule for learning rates is keep, sqrt or linear") end
  return exponent * math.log(factor, 2) / g.step
end

return grid
