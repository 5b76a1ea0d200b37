import { describe, expect, test } from 'vitest'
import { configOf, snapshotOf } from '../../invariants/floors.fixture.ts'
import { readTools } from '../../tools/tool-definitions.ts'
import { qwenCode } from '../sessions/clients/qwen-code.ts'
import { CallMeanings } from './call-meaning.ts'
import { ToolNames } from './tool-names.ts'

const snapshot = snapshotOf(configOf({ turns: { call_through: { run_any: { name: 'tool', arguments: 'input' } } } }))
const known = readTools('office', [{ name: 'send', inputSchema: { type: 'object' } }]).tools
const toolNames = new ToolNames(snapshot, known)
const meanings = new CallMeanings(snapshot, toolNames, undefined)
const told = (call: { readonly name: string; readonly args: object | undefined }, of = meanings) => {
  const { tools, args, calledAs, through } = of.ofCall(call as never)
  return { tools: tools.map(({ name }) => name), args, calledAs, through }
}

describe('a call-through tool', () => {
  test('is decided as the call it makes, whether its arguments are an object or JSON text', () => {
    const inner = { tools: ['office__send'], args: { to: 'x' }, calledAs: 'run_any', through: true }
    expect(told({ name: 'run_any', args: { tool: 'mcp__tw__office__send', input: { to: 'x' } } })).toEqual(inner)
    expect(told({ name: 'run_any', args: { tool: 'office__send', input: '{"to":"x"}' } })).toEqual(inner)
  })

  test('without arguments calls with none', () => {
    expect(told({ name: 'run_any', args: { tool: 'office__send' } })).toMatchObject({ tools: ['office__send'], args: {} })
  })

  test('may call itself, and not for ever', () => {
    expect(told({ name: 'run_any', args: { tool: 'run_any', input: { tool: 'office__send', input: {} } } })).toMatchObject({
      tools: ['office__send'],
      args: {},
    })
    let deep: object = { tool: 'office__send', input: {} }
    for (let depth = 0; depth < 10; depth += 1) deep = { tool: 'run_any', input: deep }
    expect(told({ name: 'run_any', args: deep })).toMatchObject({ args: undefined, through: true })
  })

  test.each([
    undefined,
    {},
    { tool: '' },
    { tool: 7, input: {} },
    { input: {} },
    { tool: 'office__send', input: 'not json' },
    { tool: 'office__send', input: [1] },
  ])('whose call cannot be read has arguments that cannot be read: %j', (args) => {
    expect(told({ name: 'run_any', args })).toMatchObject({ args: undefined, through: true })
  })

  test('of a known client is known without being configured, and only there', () => {
    const call = { name: 'tool_call', args: { name: 'mcp__turnward__office__send', arguments: { to: 'x' } } }
    expect(told(call, new CallMeanings(snapshot, toolNames, qwenCode))).toMatchObject({ tools: ['office__send'], args: { to: 'x' } })
    expect(told(call)).toMatchObject({ tools: ['tool_call'], through: false })
  })
})

test('a name that means another is told with the name it was called by', () => {
  expect(told({ name: 'tw_office__send', args: {} })).toEqual({
    tools: ['office__send'],
    args: {},
    calledAs: 'tw_office__send',
    through: false,
  })
  expect(told({ name: 'office__send', args: {} }).calledAs).toBeUndefined()
})

describe("the gateway's own way to run a tool", () => {
  const searching = snapshotOf(configOf({ gateways: { main: { servers: ['office'], listing: 'search' } } }))
  const of = new CallMeanings(searching, new ToolNames(searching, known), undefined)
  const args = { name: 'office__send', arguments: { to: 'x' } }

  test('is decided as the tool that is run, whatever a client puts before its name', () => {
    for (const name of ['turnward__run_tool', 'mcp__tw__turnward__run_tool'])
      expect(told({ name, args }, of)).toEqual({ tools: ['office__send'], args: { to: 'x' }, calledAs: name, through: true })
  })

  test('is not what a server calls its own tool: that one is decided as well', () => {
    const { tools, through } = told({ name: 'mcp__tw__office__turnward__run_tool', args }, of)
    expect(tools).toContain('office__turnward__run_tool')
    expect(through).toBe(false)
  })

  test('means nothing where no gateway shows it', () => {
    expect(told({ name: 'turnward__run_tool', args })).toMatchObject({ tools: ['turnward__run_tool'], through: false })
  })
})
