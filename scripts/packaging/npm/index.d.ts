/** Flags of a program: `{ seed: 3, noValidate: true }` is `--seed 3 --no-validate`. An array repeats its flag. */
export type Flags = { [name: string]: string | number | boolean | Array<string | number> | null | undefined };

/** A path, a URL, or an OpenAPI document. */
export type Spec = string | object;

export class HmtError extends Error {}

declare class Server {
  /** Where clients send their requests, as `http://127.0.0.1:PORT`. */
  readonly url: string;
  /** The last lines that the program wrote to standard error. */
  readonly output: string;
  start(): Promise<this>;
  close(): Promise<void>;
}

/** Filters of the journal, as for `GET /admin/requests`. */
export interface Filters {
  method?: string;
  path?: string;
  status?: number | string;
  source?: string;
  unmatched?: boolean;
  since?: string;
  limit?: number;
}

/** An entry of the journal. */
export interface Entry {
  id: string;
  at: string;
  exchange: { meta?: object; request: any; response?: any };
  operation?: string;
  source: string;
  status: number;
  durationMs: number;
  matched: boolean;
  violations: any[];
}

/** A stub. */
export interface Override {
  id?: string;
  match: {
    host?: string;
    method?: string;
    path?: string;
    query?: { [name: string]: any };
    headers?: { [name: string]: string };
    body?: any;
  };
  answer: {
    status?: number;
    headers?: { [name: string]: string };
    body?: any;
    example?: string;
    delay?: string;
    fault?: string;
  };
  times?: number;
}

export class Mock extends Server {
  constructor(spec: Spec | Spec[], flags?: Flags);
  static start(spec: Spec | Spec[], flags?: Flags): Promise<Mock>;
  /** The admin endpoints, as `http://127.0.0.1:PORT/admin`. */
  readonly adminUrl: string;
  requests(filters?: Filters): Promise<Entry[]>;
  count(filters?: Filters): Promise<number>;
  override(stub: Override): Promise<string>;
  reset(): Promise<void>;
  admin(method: string, where: string, body?: any): Promise<any>;
}

export class Recorder extends Server {
  constructor(target?: string, flags?: Flags & { path?: string });
  static start(target?: string, flags?: Flags & { path?: string }): Promise<Recorder>;
  /** The file of the recording. */
  readonly path: string;
  exchanges(options?: { atLeast?: number; timeout?: number }): Promise<any[]>;
  spec(flags?: Flags): Promise<any>;
}

export function hmtMock(
  t: { after(hook: () => Promise<void>): void },
  spec: Spec | Spec[],
  options?: Flags & { failOnUndeclared?: boolean },
): Promise<Mock>;

export function useMock(spec: Spec | Spec[], options?: Flags & { failOnUndeclared?: boolean }): Mock;

export const callback: (...args: any[]) => any;
