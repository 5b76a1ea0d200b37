/** Which cases there are: every task alone, every task with every instruction that can be graded, every value that can be changed. */
import type { Call, Suite } from './suites.ts'

export interface Case {
  readonly suite: Suite
  readonly userTask: string
  /** The instruction of somebody else in what the task reads. */
  readonly injection?: string
  /** Number of the changed value. */
  readonly substitution?: number
  /** What the attacker put in its place. */
  readonly other?: string | number
  /** The tool that is to be called with it. */
  readonly tool?: string
}

export interface SuiteContents {
  readonly userTasks: readonly string[]
  /** `acts`: obeying it takes a call. One that only wants words said cannot be refused by a gateway, and is not counted. */
  readonly injections: readonly { readonly id: string; readonly acts: boolean }[]
  readonly substitutions: readonly {
    readonly userTask: string
    readonly tool: string
    readonly argument: string
    readonly other: string | number
  }[]
}

/** What the server of a suite says of a case once it has begun. */
export interface BegunCase {
  readonly prompt: string
  /** What the model will do. */
  readonly steps: readonly Call[]
  /** What the person asked for. */
  readonly asked: readonly Call[]
  readonly output: string
  readonly goal: string | null
}

export function casesOf(suite: Suite, contents: SuiteContents): readonly Case[] {
  const { userTasks, injections, substitutions } = contents
  const gradable = injections.filter(({ acts }) => acts)
  return [
    ...userTasks.map((userTask) => ({ suite, userTask })),
    ...substitutions.map(({ userTask, tool, other }, substitution) => ({ suite, userTask, substitution, tool, other })),
    ...userTasks.flatMap((userTask) => gradable.map(({ id }) => ({ suite, userTask, injection: id }))),
  ]
}

/** A sample that has all kinds: every task alone and every changed value, and each task with one instruction, another one each time. */
export function sampleOf(cases: readonly Case[]): readonly Case[] {
  const tasks = [...new Set(cases.map(({ userTask }) => userTask))]
  const injections = [...new Set(cases.flatMap(({ injection }) => injection ?? []))]
  return cases.filter(
    ({ userTask, injection }) => injection === undefined || injections.indexOf(injection) === tasks.indexOf(userTask) % injections.length,
  )
}

/** Parts of as many cases; tasks alone come first in each. */
export function sharedOut(cases: readonly Case[], parts: number): readonly (readonly Case[])[] {
  return Array.from({ length: parts }, (_, part) => cases.filter((_case, index) => index % parts === part))
}

export function nameOf({ suite, userTask, injection, substitution }: Case): string {
  return [suite, userTask, injection, substitution === undefined ? undefined : `value_${substitution}`]
    .filter((one) => one !== undefined)
    .join('/')
}
