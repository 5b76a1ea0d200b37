/**
 * AgentDojo of PyPI in an environment of its own: installed once, below the user's cache folder or `TURNWARD_BENCH_CACHE`; what is
 * there already is used without the network. The SDKs of model vendors it names are left out (`servers/agentdojo_suites.py`).
 */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const requirements = [
  'agentdojo==0.1.35',
  'click==8.5.1',
  'deepdiff==9.1.0',
  'docstring_parser==0.18.0',
  'email-validator==2.4.0',
  'pydantic==2.14.4',
  'python-dotenv==1.2.4',
  'PyYAML==6.0.4',
  'rich==15.0.0',
  'tenacity==9.2.1',
  'typing_extensions==4.16.0',
]
/** What these need themselves. With `--no-deps`, because AgentDojo's own list has the SDKs. */
const beneath = [
  'annotated-types==0.8.0',
  'cachebox==5.2.3',
  'dnspython==2.9.2',
  'idna==3.20',
  'markdown-it-py==4.3.0',
  'mdurl==0.1.2',
  'orderly-set==5.5.0',
  'pydantic_core==2.50.5',
  'Pygments==2.21.0',
  'typing-inspection==0.4.5',
]

/** The Python that has AgentDojo. Throws with pip's words when it cannot be installed. */
export function agentdojoPython(say: (line: string) => void): string {
  const folder = join(process.env['TURNWARD_BENCH_CACHE'] ?? join(homedir(), '.cache/turnward-bench'), 'agentdojo-0.1.35')
  const python = join(folder, 'bin/python')
  const isWhole = join(folder, 'whole')
  if (existsSync(isWhole)) return python
  say('installing AgentDojo 0.1.35 …')
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  execFileSync('python3', ['-m', 'venv', folder])
  const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary', ':all:']
  execFileSync(python, [...install, ...requirements, ...beneath], { stdio: ['ignore', 'ignore', 'inherit'] })
  writeFileSync(isWhole, '')
  return python
}
