import { type TestApp, type TestAppOptions, useTestApp } from '@airlock/service/testing';
import { api } from '../api.js';

/** The API for the test file; see `useTestApp`. */
export function useTestApi(options?: TestAppOptions): TestApp {
  return useTestApp(api, options);
}
