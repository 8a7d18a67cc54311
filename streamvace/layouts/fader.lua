-- One fader. Above this are LOW, HIGH, BENT, FORMAT, TEXT and ADDRESS. A bent fader goes the same way for each
-- doubling, which a message cannot say, so the script sends it.

local function value(x)
  if BENT then return LOW * (HIGH / LOW) ^ x end
  return LOW + (HIGH - LOW) * x
end

local function show()
  self.parent.children[TEXT].values.text = string.format(FORMAT, value(self.values.x))
end

function init()
  show()
end

function onValueChanged(key)
  if key ~= 'x' then return end
  show()
  if BENT and self.values.touch then sendOSC(ADDRESS, value(self.values.x)) end
end
