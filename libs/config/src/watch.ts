import { differingKeys } from './difference.ts';
import { ConfigError } from './errors.ts';
import { configFile, type LoadOptions, readConfig } from './load.ts';
import type { PbxConfig } from './pbx-schema.ts';
import type { Config } from './schema.ts';
import { Sources } from './sources.ts';

export interface WatchOptions extends LoadOptions {
  /** The PBXs are others than before. Awaited: what changes meanwhile is told afterwards. */
  readonly onPbxs: (pbxs: readonly PbxConfig[]) => Promise<void> | void;
  /** These keys differ from the configuration that the process was started with; only a restart applies them. */
  readonly onRestartNeeded: (keys: readonly string[]) => void;
  /** What the files say now can't be used. The configuration from before goes on. */
  readonly onRefused: (error: ConfigError) => void;
  /** How often the files are read, milliseconds. Default 1000. What is found changed is taken when it is still so the next time. */
  readonly everyMs?: number | undefined;
}

/**
 * Follows the files of a configuration (callfleet.yaml, and what its `${file:...}` name) as long as the process runs. They are
 * read again and again, since that works wherever they are: a ConfigMap is a symbolic link that is swapped, an editor
 * renames, a network file system tells nobody.
 *
 * @param started the configuration that the process runs with
 * @returns stops
 */
export function watchConfig(started: Config, options: WatchOptions): () => void {
  if (configFile(options) === undefined) return () => {};
  const watch = new ConfigWatch(started, options);
  return () => watch.close();
}

class ConfigWatch {
  readonly #started: Config;
  readonly #options: WatchOptions;
  readonly #timer: NodeJS.Timeout;
  #pbxs: readonly PbxConfig[];
  #paths: readonly string[];
  /** Of the files as they were taken, or refused, the last time; unknown at first: they may have changed since they were loaded. */
  #taken: string | undefined;
  #seen: string | undefined;
  #toldKeys = '';
  #isBusy = false;

  constructor(started: Config, options: WatchOptions) {
    this.#started = started;
    this.#options = options;
    this.#pbxs = started.pbxs;
    this.#paths = [configFile(options) as string];
    this.#timer = setInterval(() => void this.#look(), options.everyMs ?? 1000).unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #look(): Promise<void> {
    if (this.#isBusy) return;
    const now = Sources.now(this.#paths);
    // Half-written files are not read: what is new must have stood still for once.
    const stoodStill = now === this.#seen;
    this.#seen = now;
    if (now === this.#taken || !stoodStill) return;
    this.#isBusy = true;
    try {
      await this.#take();
    } finally {
      this.#isBusy = false;
    }
  }

  async #take(): Promise<void> {
    const config = this.#read();
    if (config === undefined) return;
    this.#tellKeys(config);
    if (differingKeys(this.#pbxs, config.pbxs).length === 0) return;
    this.#pbxs = config.pbxs;
    await this.#options.onPbxs(config.pbxs);
  }

  #read(): Config | undefined {
    const sources = new Sources();
    try {
      return readConfig(this.#options, sources);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.#options.onRefused(error);
      return undefined;
    } finally {
      this.#remember(sources);
    }
  }

  #remember(sources: Sources): void {
    this.#paths = sources.paths;
    this.#taken = sources.fingerprint;
    this.#seen = this.#taken;
  }

  #tellKeys(config: Config): void {
    const { pbxs: _, ...rest } = config;
    const { pbxs: __, ...started } = this.#started;
    const keys = differingKeys(started, rest);
    const told = keys.join();
    if (told !== this.#toldKeys && keys.length > 0) this.#options.onRestartNeeded(keys);
    this.#toldKeys = told;
  }
}
