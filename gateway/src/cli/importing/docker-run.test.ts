import { expect, test } from 'vitest'
import { dockerRun } from './docker-run.ts'

const bind = (source: string, target: string, write: boolean) => ({ source, target, write })

test.each([
  [['-i', '--rm', 'mcp/git'], { image: 'mcp/git', args: [], env: [], binds: [], volumes: [], isOffline: false }],
  [['-it', 'a:1', '--x', '-y'], { image: 'a:1', args: ['--x', '-y'] }],
  [['-e', 'A', '--env', 'B=1', '--env=C=2=3', '-eD=4', '-ie', 'E', 'a:1'], { env: ['A', 'B=1', 'C=2=3', 'D=4', 'E'], image: 'a:1' }],
  [
    ['-v', '/h:/c', '-v', './h:/d:ro', '--volume=~/h:/e:ro,z', 'a:1'],
    { binds: [bind('/h', '/c', true), bind('./h', '/d', false), bind('~/h', '/e', false)] },
  ],
  [
    ['--mount', 'type=bind,src=/h,dst=/c', '--mount=type=bind,source=/h,target=/d,readonly', 'a:1'],
    { binds: [bind('/h', '/c', true), bind('/h', '/d', false)] },
  ],
  [['--mount', 'readonly=false,type=bind,source=/h,destination=/d', 'a:1'], { binds: [bind('/h', '/d', true)] }],
  [
    ['-v', 'data:/c', '--mount', 'type=volume,src=more,dst=/d', '-v', '/anonymous', '--mount', 'type=tmpfs,dst=/t', 'a:1'],
    { volumes: ['data', 'more', '/anonymous', '/t'], binds: [] },
  ],
  [['--network', 'none', 'a:1'], { isOffline: true }],
  [['--network=host', 'a:1'], { isOffline: false }],
  [
    ['--name', 'x', '-w', '/c', '-p8080:80', '--platform=linux/amd64', 'a:1'],
    { image: 'a:1', without: ['--name', '--workdir', '--publish', '--platform'] },
  ],
])('%j are read', (words, run) => {
  expect(dockerRun(words)).toMatchObject(run)
})

test.each([
  [['--privileged', 'a:1'], '--privileged'],
  [['-i', '--cap-add', 'SYS_ADMIN', 'a:1'], '--cap-add'],
  [['--device=/dev/kvm', 'a:1'], '--device'],
  [['--pid', 'host', 'a:1'], '--pid'],
  [['--entrypoint', 'sh', 'a:1'], '--entrypoint'],
  [['-P', 'a:1'], '-P'],
  [['--mount', 'dst=/c', 'a:1'], '--mount'],
  [['-v', 'C:\\x:relative', 'a:1'], '--volume'],
  [['-i'], 'the image'],
])('of %j %s cannot be had', (words, option) => {
  expect(dockerRun(words)).toBe(option)
})
