/**
 * What the built-in tools of coding agents do, once for all packs. The line they draw: the developer's own machine is
 * trusted, the web is not, and after the web nothing leaves the machine and no command runs but those
 * that look or check, while reading and editing go on. Each says why, because an administrator reads it in `turnward policy show`.
 */
import type { ArgumentShapeName } from '@turnward/contract/config/argument-shapes'
import type { PackContract } from './pack.ts'

export const readsWorkspace: PackContract = {
  why: 'Files of the workspace are the developer’s own: reading them keeps the session trusted.',
  output: { trust: 'trusted' },
}

/** Edits the file an argument names. What nothing acts on by itself may be edited after untrusted reads. */
export function edits(...paths: readonly string[]): PackContract {
  return editing(paths, 'plain_file')
}

/** Edits the files that a patch names. */
export function patches(argument: string): PackContract {
  return editing([argument], 'plain_patch')
}

function editing(paths: readonly string[], shape: ArgumentShapeName): PackContract {
  return {
    why: 'An edit stays on this machine, so it goes on after untrusted reads, except of files that a shell, git, an editor or an agent runs or obeys by itself. What was written may hold words of a stranger.',
    output: { trust: 'trusted' },
    effects: ['mutation'],
    requires: { trust: 'trusted', unless: Object.fromEntries(paths.map((path) => [`$args.${path}`, [shape]])) },
  }
}

/** Goes somewhere else in the workspace. */
export const movesAbout: PackContract = {
  why: 'Another work tree of the same repository: nothing leaves by it.',
  output: { trust: 'trusted' },
  effects: ['mutation'],
}

/** Any command, in no form that could be read here. */
export const runsAnything: PackContract = {
  why: 'A command can change and send anything, so it needs a session that has read nothing untrusted. Its output counts as the developer’s own.',
  output: { trust: 'trusted' },
  effects: ['egress', 'mutation'],
  requires: { trust: 'trusted' },
}

/** Commands as shell text in an argument, or a list of such. */
export function runsCommands(argument: string): PackContract {
  return running(argument, 'checking_command')
}

/** Commands as a list of words, or as shell text. */
export function runsPrograms(argument: string): PackContract {
  return running(argument, 'checking_program')
}

/** Types into a command that runs, or only waits for what it writes. */
export function tellsCommands(argument: string): PackContract {
  return {
    ...runsAnything,
    why: 'What is typed into a command can be another one, so it needs a session that has read nothing untrusted, unless nothing is typed.',
    requires: { trust: 'trusted', unless: { [`$args.${argument}`]: ['empty_text'] } },
  }
}

function running(argument: string, shape: ArgumentShapeName): PackContract {
  return {
    ...runsAnything,
    why: 'A command can change and send anything, so it needs a session that has read nothing untrusted, unless it is a plain command that looks, or runs the checks of the project. Its output counts as the developer’s own.',
    requires: { trust: 'trusted', unless: { [`$args.${argument}`]: [shape] } },
  }
}

export const followsCommands: PackContract = {
  why: 'Output of something this agent started itself, when its session was trusted.',
  output: { trust: 'trusted' },
}

export const stopsCommands: PackContract = {
  why: 'Ends something this agent started; nothing leaves the machine.',
  output: { trust: 'trusted' },
  effects: ['mutation'],
}

export const fetchesWeb: PackContract = {
  why: 'A page may hold instructions of a stranger, and an address chosen by the model can carry data out: untrusted after it, and not allowed once the session is.',
  output: { trust: 'untrusted' },
  effects: ['egress'],
  requires: { trust: 'trusted' },
}

export const searchesWeb: PackContract = {
  why: 'Results hold words of strangers. The query goes to the agent’s own search provider and to no address the model chooses, so searching again is allowed.',
  output: { trust: 'untrusted' },
  effects: ['egress'],
}

export const keepsNotes: PackContract = {
  why: 'Notes, plans and modes of the agent itself: nothing new is read and nothing leaves.',
  output: { trust: 'trusted' },
}

export const asksPerson: PackContract = {
  why: 'The person at the keyboard answers.',
  output: { trust: 'trusted' },
}

export const delegates: PackContract = {
  why: 'A sub-agent’s session inherits the label of this one and is decided call by call itself; what it read narrows this session when it reports.',
  output: { trust: 'trusted' },
}

export const loadsInstructions: PackContract = {
  why: 'Skills and commands installed on this machine; what they then call is decided like any other call.',
  output: { trust: 'trusted' },
}

export const findsTools: PackContract = {
  why: 'Names and definitions of tools; a found tool is decided when it is called.',
  output: { trust: 'trusted' },
}

export const outlivesSession: PackContract = {
  why: 'What is stored here is acted on later, in a session that does not know what this one has read: only while it is trusted.',
  output: { trust: 'trusted' },
  effects: ['mutation'],
  requires: { trust: 'trusted' },
}

export const tellsOtherAgents: PackContract = {
  why: 'The words go to an agent that is already running, whose session does not know what this one has read: only while it is trusted.',
  output: { trust: 'trusted' },
  effects: ['egress'],
  requires: { trust: 'trusted' },
}

export const publishes: PackContract = {
  why: 'Leaves the machine, so it needs a session that has read nothing untrusted.',
  output: { trust: 'trusted' },
  effects: ['egress'],
  requires: { trust: 'trusted' },
}

export const drivesBrowser: PackContract = {
  why: 'Reads pages of strangers and acts on them with the developer’s own logins: untrusted after it, and not allowed once the session is.',
  output: { trust: 'untrusted' },
  effects: ['egress', 'mutation'],
  requires: { trust: 'trusted' },
}

export const readsServers: PackContract = {
  why: 'Content of MCP servers that nobody described here: like any unknown result, untrusted and for the principal only.',
  output: { trust: 'untrusted', audience: ['$principal'] },
}
