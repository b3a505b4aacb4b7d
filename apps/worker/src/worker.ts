import { jobModules, jobs } from '@airlock/jobs';
import { model } from '@airlock/model';
import { describeProduct } from '@airlock/service/product';

/** Describes this product to the service. */
export const worker = describeProduct(model, jobs, jobModules);
