import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { serverEntry, unseenArguments } from './server-entry.ts'

const none = { args: [], mounts: [], network: [], env: [] }
const here = resolve('turnward.yaml')

test('paths below the configuration are relative to it, others absolute, and a dollar stands for itself', () => {
  const program = ['node', resolve('.turnward/installed/a$b/index.js')]
  expect(serverEntry(here, program, { ...none, args: ['./notes', '--dir', '/srv/x', '${TOKEN}'] })).toEqual({
    transport: 'stdio',
    command: ['node', './.turnward/installed/a$$b/index.js', './notes', '--dir', '/srv/x', '${TOKEN}'],
  })
  expect(serverEntry('/etc/turnward/turnward.yaml', program, { ...none, args: ['./notes'] }).command[2]).toBe(join(resolve('.'), 'notes'))
})

test('mounts are read-only unless they say so, variables are references unless they have a value', () => {
  const wishes = {
    ...none,
    mounts: ['./notes:rw', '/srv/data', '/srv/more:ro'],
    network: ['api.example:443', 'tcp:db.example:5432'],
    env: ['TOKEN', 'LEVEL=a=b'],
  }
  expect(serverEntry(here, ['node', 'x'], wishes)).toMatchObject({
    mounts: [{ path: './notes', write: true }, { path: '/srv/data' }, { path: '/srv/more' }],
    network: ['api.example:443', { tcp: 'db.example:5432' }],
    env: { TOKEN: '${TOKEN}', LEVEL: 'a=b' },
  })
  expect(() => serverEntry(here, [], { ...none, env: ['A B'] })).toThrow('--env')
})

test('what arguments name and no mount shows is found', () => {
  const args = ['/srv/data', '/srv/data/below', './notes', '/srv/other', '--flag', 'word', '/not/there']
  expect(unseenArguments(args, ['/srv/data', './notes:rw'], (path) => path !== '/not/there')).toEqual(['/srv/other'])
})
