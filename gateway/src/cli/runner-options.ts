/** What runners need to know of this installation. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BubblewrapOptions } from '../tools/runners/bubblewrap.ts'

/** The folder that holds the gateway's code and its dependencies: the workspace in a checkout, the package when installed. */
function gatewayRoot(): string {
  const gateway = fileURLToPath(new URL('../../', import.meta.url))
  const workspace = join(gateway, '..')
  return existsSync(join(workspace, 'contract', 'package.json')) ? workspace : gateway
}

export function runnerOptions(protect: readonly string[] = []): BubblewrapOptions {
  return { nodePath: process.execPath, gatewayRoot: gatewayRoot(), protect }
}
