import { expect, test } from 'vitest'
import { fetchingCommand, insteadOf } from './fetching-commands.ts'

const line = (...command: string[]): string | undefined => {
  const fetching = fetchingCommand(command)
  return fetching && insteadOf(fetching, 'it')
}

test.each([
  [['npx', '-y', '@modelcontextprotocol/server-filesystem', '/data'], 'npm:@modelcontextprotocol/server-filesystem --name it -- …'],
  [['npx', '--yes', '@scope/server@1.2.3'], 'npm:@scope/server@1.2.3 --name it'],
  [['npx', '-y', 'server@latest', '--flag', 'a b'], 'npm:server --name it -- …'],
  [['npx', '-y', '-p', 'server', 'other-bin', 'x'], 'npm:server --name it --bin other-bin -- …'],
  [['npx', '--package=server', '--', 'server'], 'npm:server --name it'],
  [['npx', '--registry', 'https://r.example', 'server'], 'npm:server --name it'],
  [['/usr/local/bin/npx', 'server'], 'npm:server --name it'],
  [['cmd', '/c', 'npx.cmd', '-y', 'server'], 'npm:server --name it'],
  [['pnpm', 'dlx', 'server'], 'npm:server --name it'],
  [['bunx', 'server'], 'npm:server --name it'],
  [['uvx', 'mcp-server-git', '--repository', '/repo'], 'pypi:mcp-server-git --name it -- …'],
  [['uvx', 'mcp-server-git==2.0.0'], 'pypi:mcp-server-git@2.0.0 --name it'],
  [['uvx', '--python', '3.12', '--from', 'pack[cli]', 'run-it'], 'pypi:pack --name it --bin run-it'],
  [['uv', 'tool', 'run', 'mcp-server-time@1.0'], 'pypi:mcp-server-time@1.0 --name it'],
  [['pipx', 'run', 'mcp-server-time'], 'pypi:mcp-server-time --name it'],
])('%j is installed by `servers add %s`', (command, added) => {
  expect(line(...command)).toBe(`turnward servers add ${added}`)
})

test.each([
  [['docker', 'run', '-i', '--rm', 'mcp/git'], 'runner: docker'],
  [['podman', 'run', 'mcp/git'], 'transport: http'],
  [['uvx', '--from', 'git+https://github.com/a/b', 'run-it'], 'entry script'],
  [['npx', '-y', 'github:a/b'], 'entry script'],
  [['npx', '-y', './folder'], 'entry script'],
  [['npx', 'server@^1.0.0'], 'entry script'],
  [['npm', 'run', 'start'], 'entry script'],
])('%j names no package of a registry, and is told what to do', (command, told) => {
  expect(line(...command)).toContain(told)
})

test.each([[['node', './server.js']], [['/srv/venv/bin/python', '-m', 'server']], [['uv', '--version']], [['/opt/bin/docker-mcp', 'run']]])(
  '%j fetches nothing',
  (command) => expect(fetchingCommand(command)).toBeUndefined(),
)
