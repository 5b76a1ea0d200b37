/** Clients of PyPI through everything that is asked of a client (`conformance/mcp/clients/`): their newest versions, installed for the run. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe } from 'vitest'
import { describeClients } from '../mcp/clients/client-suite.ts'
import { hasPython, installPython, pythonClient } from './python-client.ts'

const pythons = new Map<string, string>()
let folder: string

describe.runIf(hasPython)('clients of PyPI', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'turnward-python-'))
    for (const requirement of ['mcp', 'mcp<2', 'fastmcp']) {
      const { python, version } = installPython(join(folder, requirement.replaceAll(/\W/g, '-')), requirement)
      pythons.set(requirement, python)
      console.log(`${requirement}: ${version}`)
    }
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  const python = (requirement: string) => () => pythons.get(requirement) ?? 'not installed'
  const all = ['progress', 'progress at once', 'cancellation', 'elicitation', 'sampling'] as const
  describeClients([
    pythonClient({ library: 'mcp', mode: 'auto', can: all, python: python('mcp') }),
    pythonClient({ library: 'mcp', mode: 'legacy', can: all, python: python('mcp') }),
    // What it gives up it tells nobody.
    pythonClient({ library: 'mcp<2', mode: 'legacy', can: all.filter((ability) => ability !== 'cancellation'), python: python('mcp<2') }),
    pythonClient({ library: 'fastmcp', mode: 'auto', can: all, python: python('fastmcp') }),
  ])
})
