-- The root of the layout: subscribes to the show, and shows what it reports. Above this are the tables of the layout:
-- PORT, CUES, LAMPS, READOUTS, BENT, and the colours.

local STATUS = '/streamvace/status/'
local RENEW_MS, SILENT_MS = 60000, 5000

local found = {}
local heardAt, renewedAt, askedAt = 0, 0, 0
local names, current, following = {}, '', ''
local prompt, held = '', { '', '' }

local function node(name)
  if not found[name] then found[name] = self:findByName(name, true) end
  return found[name]
end

local function subscribe()
  sendOSC('/streamvace/subscribe', PORT)
  renewedAt = getMillis()
end

local function ask()
  subscribe()
  sendOSC('/streamvace/sync', PORT)
  askedAt = getMillis()
end

local function write(name, text)
  local label = node(name)
  if label then label.values.text = text end
end

local function paint(name, color)
  local button = node(name)
  if button then button.color = color end
end

local function showCues()
  for i = 1, CUES do
    local name = names[i] or ''
    local button = node('cue ' .. i)
    button.tag = name
    button.visible = name ~= ''
    node('cue ' .. i .. ' text').visible = name ~= ''
    write('cue ' .. i .. ' text', name)
    paint('cue ' .. i, name == current and LIT or name == following and NEXT or UNLIT)
  end
end

local function number(argument)
  if argument.tag == 'T' then return 1 end
  if argument.tag == 'F' then return 0 end
  return tonumber(argument.value)
end

function init()
  showCues()
  ask()
end

function update()
  local now = getMillis()
  if now - heardAt > SILENT_MS and now - askedAt > SILENT_MS then
    ask() -- the show is not there yet, or has started again
  elseif now - renewedAt > RENEW_MS then
    subscribe()
  end
end

function onReceiveOSC(message, connections)
  local address, arguments = message[1], message[2]
  heardAt = getMillis()
  local first = arguments[1]
  if not first then return false end
  if address == STATUS .. 'cues' then
    names = {}
    for i, argument in ipairs(arguments) do names[i] = argument.value end
    showCues()
  elseif address == STATUS .. 'cue' then
    current = first.value
    showCues()
  elseif address == STATUS .. 'cue_next' then
    following = first.value
    showCues()
  elseif address == '/streamvace/prompt' then
    prompt = first.value
  end
  local lamps = LAMPS[address]
  if lamps then
    for value, name in pairs(lamps) do paint(name, value == first.value and LIT or UNLIT) end
  end
  local readout = READOUTS[address]
  if readout then
    local value = number(first)
    write(readout.name, value and readout.format and string.format(readout.format, value) or tostring(first.value))
  end
  local bent = BENT[address]
  if bent then
    local value, fader = number(first), node(bent.name)
    if value and not fader.values.touch then
      fader.values.x = math.log(value / bent.low) / math.log(bent.high / bent.low)
    end
  end
  return false -- faders and switches hear their own messages
end

function onReceiveNotify(key, value)
  if key == 'take' then
    held[value] = prompt
    write('prompt ' .. value .. ' text', prompt)
  elseif key == 'mix' and (held[1] ~= '' or held[2] ~= '') then
    sendOSC('/streamvace/prompts', held[1], 1 - value, held[2], value)
  end
end
