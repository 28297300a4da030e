/* The encoder's network once more, in C, for where a compiler is at hand.

   Responsible for: `Network`, which says what `network.Network` says, to the bit.
   Must never: round where that does not (tests/test_encoder.py); read or write but memory of its own; keep what a text said.

   What is added up, and why in whole numbers, stands in network.py. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS = 2047, FEW = 127, BYTE = 128, FIXED = 4096, MOST_WIDTH = 4096, MOST_TOKENS = 512 };
enum { CURVE_STEP = 256, CURVE_END = 8, CURVE = 2 * CURVE_END * CURVE_STEP + 1 };
enum { FALL_STEP = 128, FALL = 2048 };
enum { LANE = 4, LANES = 16, TILE_ROWS = 8, TILE_LANES = 2 * LANES }; /* bytes of a lane; lanes of a register; rows and lanes of a tile */

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#include <immintrin.h>
#define WIDEST __attribute__((target_clones("avx2", "default"), optimize("O3")))
#define TILED __attribute__((target("avx512f,avx512vnni,avx512bw"), optimize("O3")))
#elif defined(__GNUC__) && !defined(__clang__)
#define WIDEST __attribute__((optimize("O3")))
#else
#define WIDEST
#endif

/* `outputs` rows of `inputs` whole numbers, what one is worth in each row, and what is added to what it comes to. */
typedef struct {
    size_t inputs, outputs;
    int8_t *weights;
    char *tiles;    /* the same for `tiled`; NULL where the processor has no use for them */
    int32_t *shift; /* of each row of `tiles`: what its sum is too large by where `BYTE` is added to each of the numbers that it is multiplied with */
    double *worth, *added;
} Matrix;

typedef struct {
    double *by, *added;
} Norm;

enum { QUERY, KEY, VALUE, MIXED, WIDER, NARROWER, MATRICES };

typedef struct {
    Matrix matrix[MATRICES];
    Norm attended, done;
} Layer;

typedef struct {
    PyObject_HEAD
    size_t width, widest, heads, layers, tokens;
    int tiled; /* the processor has instructions for it */
    Matrix pieces, labels; /* of `pieces` the weights and worth: a row for each piece */
    double *places;
    Norm first;
    Layer *layer;
    double *curve;
    int16_t *fall;
} Network;

/* What one text needs, for as long as it is looked at. */
typedef struct {
    double *state, *made, *query, *worth, *other_worth;
    int16_t *steps, *query_steps, *key_steps, *value_steps, *shares;
    int32_t *sums, *totals;
    char *rows, *tiles; /* for `tiled`: NULL where the processor has no use for them */
} Room;

/* ---- sums ------------------------------------------------------------------------------------------------------ */

/* The products of some rows of weights, `a` and the three behind it, with two rows of numbers. */
WIDEST static void four_by_two(const int8_t *a, const int16_t *x, int32_t *to, size_t inputs, size_t outputs) {
    const int8_t *b = a + inputs, *c = b + inputs, *d = c + inputs;
    const int16_t *y = x + inputs;
    int32_t ax = 0, ay = 0, bx = 0, by = 0, cx = 0, cy = 0, dx = 0, dy = 0;
    for (size_t i = 0; i < inputs; i++) {
        ax += (int32_t)a[i] * x[i];
        ay += (int32_t)a[i] * y[i];
        bx += (int32_t)b[i] * x[i];
        by += (int32_t)b[i] * y[i];
        cx += (int32_t)c[i] * x[i];
        cy += (int32_t)c[i] * y[i];
        dx += (int32_t)d[i] * x[i];
        dy += (int32_t)d[i] * y[i];
    }
    to[0] = ax, to[1] = bx, to[2] = cx, to[3] = dx;
    to += outputs;
    to[0] = ay, to[1] = by, to[2] = cy, to[3] = dy;
}

WIDEST static int32_t product(const int8_t *a, const int16_t *x, size_t inputs) {
    int32_t sum = 0;
    for (size_t i = 0; i < inputs; i++) sum += (int32_t)a[i] * x[i];
    return sum;
}

static inline size_t up_to(size_t count, size_t part) { return (count + part - 1) / part * part; }

/* What `tiled` takes of a row of some bytes: whole lanes; and of some rows of weights that are so wide: whole tiles. */
static inline size_t row_size(size_t bytes) { return up_to(bytes, LANE); }
static inline size_t tiles_size(size_t count, size_t wide) { return up_to(count, TILE_LANES) * wide; }

/* Where byte `at` of row `row` of the weights stands in tiles: the lanes of sixteen rows side by side. */
static inline size_t in_tiles(size_t row, size_t at, size_t wide) {
    return row / LANES * LANES * wide + at / LANE * LANE * LANES + row % LANES * LANE + at % LANE;
}

static inline int16_t *pair_in(char *tiles, size_t row, size_t number, size_t wide) {
    return (int16_t *)(void *)(tiles + in_tiles(row, number * sizeof(int16_t), wide));
}

#ifdef TILED
static int has_tiles(void) {
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bw");
}

/* sums[t * outputs + o] = row o of the tiles times row t of `rows`, less `less[o]`. A lane is four bytes, or two numbers of sixteen bits. */
TILED static inline __attribute__((always_inline)) void tiled(const char *tiles, const char *rows, const int32_t *less, int32_t *sums,
                                                              size_t count, size_t wide, size_t outputs, int bytes) {
    for (size_t o = 0; o < outputs; o += TILE_LANES, tiles += wide * TILE_LANES) {
        const size_t room = outputs - o;
        const __mmask16 there[2] = {(__mmask16)(room < LANES ? (1u << room) - 1 : 0xFFFF),
                                    (__mmask16)(room <= LANES ? 0 : room < TILE_LANES ? (1u << (room - LANES)) - 1 : 0xFFFF)};
        for (size_t t = 0; t < count; t += TILE_ROWS) {
            __m512i sum[TILE_ROWS][2];
            for (int half = 0; half < 2; half++) {
                const __m512i start = less ? _mm512_maskz_loadu_epi32(there[half], less + o + half * LANES) : _mm512_setzero_si512();
                for (int row = 0; row < TILE_ROWS; row++) sum[row][half] = _mm512_sub_epi32(_mm512_setzero_si512(), start);
            }
            for (size_t at = 0; at < wide; at += LANE) {
                const char *here = tiles + at * LANES;
                const __m512i weights[2] = {_mm512_load_si512(here), _mm512_load_si512(here + wide * LANES)};
                for (int row = 0; row < TILE_ROWS; row++) {
                    int32_t lane;
                    memcpy(&lane, rows + (t + (size_t)row) * wide + at, LANE);
                    const __m512i numbers = _mm512_set1_epi32(lane);
                    for (int half = 0; half < 2; half++)
                        sum[row][half] = bytes ? _mm512_dpbusd_epi32(sum[row][half], numbers, weights[half])
                                               : _mm512_dpwssd_epi32(sum[row][half], numbers, weights[half]);
                }
            }
            for (size_t row = 0; row < TILE_ROWS && t + row < count; row++)
                for (int half = 0; half < 2; half++)
                    _mm512_mask_storeu_epi32(sums + (t + row) * outputs + o + half * LANES, there[half], sum[row][half]);
        }
    }
}

TILED static void tiled_bytes(const char *tiles, const char *rows, const int32_t *less, int32_t *sums, size_t count, size_t wide, size_t outputs) {
    tiled(tiles, rows, less, sums, count, wide, outputs, 1);
}

TILED static void tiled_pairs(const char *tiles, const char *rows, int32_t *sums, size_t count, size_t wide, size_t outputs) {
    tiled(tiles, rows, NULL, sums, count, wide, outputs, 0);
}

static void *aligned(size_t size) {
    void *made = aligned_alloc(LANE * LANES, up_to(size + 1, LANE * LANES));
    return made == NULL ? NULL : memset(made, 0, size);
}
#else
#define tiled_bytes(...)
#define tiled_pairs(...)
#define aligned(size) NULL
static int has_tiles(void) { return 0; }
#endif

WIDEST static void in_bytes(const int16_t *from, char *to, size_t rows, size_t inputs) {
    const size_t size = row_size(inputs);
    for (size_t t = 0; t < rows; t++)
        for (size_t i = 0; i < inputs; i++) to[t * size + i] = (char)(from[t * inputs + i] + BYTE);
}

/* sums[t * outputs + o] = row o of the weights times row t of the steps. */
static void multiply(const Matrix *matrix, const Room *room, size_t rows) {
    size_t inputs = matrix->inputs, outputs = matrix->outputs, fours = outputs - outputs % 4, twos = rows - rows % 2;
    if (matrix->tiles != NULL) {
        in_bytes(room->steps, room->rows, rows, inputs);
        tiled_bytes(matrix->tiles, room->rows, matrix->shift, room->sums, rows, row_size(inputs), outputs);
        return;
    }
    for (size_t o = 0; o < fours; o += 4)
        for (size_t t = 0; t < twos; t += 2)
            four_by_two(matrix->weights + o * inputs, room->steps + t * inputs, room->sums + t * outputs + o, inputs, outputs);
    for (size_t t = 0; t < rows; t++)
        for (size_t o = t < twos ? fours : 0; o < outputs; o++)
            room->sums[t * outputs + o] = product(matrix->weights + o * inputs, room->steps + t * inputs, inputs);
}

/* Numbers as whole ones, up to `steps`, and what one of these is worth. */
WIDEST static double in_steps(const double *from, int16_t *to, size_t count, int steps) {
    double most = 0;
    for (size_t i = 0; i < count; i++)
        if (fabs(from[i]) > most) most = fabs(from[i]);
    double by = most > 0 ? steps / most : 0;
    for (size_t i = 0; i < count; i++) to[i] = (int16_t)rint(from[i] * by);
    return most / steps;
}

static void rows_in_steps(const double *from, int16_t *to, double *worth, size_t rows, size_t width, int steps) {
    for (size_t t = 0; t < rows; t++) worth[t] = in_steps(from + t * width, to + t * width, width, steps);
}

/* What a matrix makes of the rows in `steps`, of which one is worth `worth`. */
WIDEST static void applied(const Matrix *matrix, const Room *room, double *to, size_t rows) {
    multiply(matrix, room, rows);
    const int32_t *sum = room->sums;
    for (size_t t = 0; t < rows; t++)
        for (size_t o = 0; o < matrix->outputs; o++)
            *to++ = *sum++ * (room->worth[t] * matrix->worth[o]) + matrix->added[o];
}

WIDEST static void normed(const Norm *norm, double *rows, size_t count, size_t width) {
    int64_t fixed[MOST_WIDTH], size = (int64_t)width;
    for (size_t t = 0; t < count; t++, rows += width) {
        int64_t sum = 0, squares = 0;
        for (size_t i = 0; i < width; i++) {
            fixed[i] = (int64_t)rint(rows[i] * FIXED);
            sum += fixed[i];
            squares += fixed[i] * fixed[i];
        }
        double spread = (double)(squares * size - sum * sum);
        double by = spread > 0 ? 1 / sqrt(spread) : 0;
        for (size_t i = 0; i < width; i++)
            rows[i] = (double)(fixed[i] * size - sum) * by * norm->by[i] + norm->added[i];
    }
}

/* ---- attention ------------------------------------------------------------------------------------------------- */

/* Rows of whole numbers, each `apart` numbers behind the one before. */
typedef struct {
    const int16_t *numbers;
    size_t apart;
} Rows;

/* sums[t * outputs + o] = row t of some rows times row o of others, in so many numbers of each. */
WIDEST static void crossed(const Room *room, Rows ours, Rows others, size_t rows, size_t outputs, size_t inputs) {
    if (room->tiles != NULL) {
        const size_t wide = row_size(inputs * sizeof(int16_t));
        memset(room->tiles, 0, tiles_size(outputs, wide));
        for (size_t t = 0; t < rows; t++) memcpy(room->rows + t * wide, ours.numbers + t * ours.apart, inputs * sizeof(int16_t));
        for (size_t o = 0; o < outputs; o++)
            for (size_t i = 0; i < inputs; i++) *pair_in(room->tiles, o, i, wide) = others.numbers[o * others.apart + i];
        tiled_pairs(room->tiles, room->rows, room->sums, rows, wide, outputs);
        return;
    }
    for (size_t t = 0; t < rows; t++)
        for (size_t o = 0; o < outputs; o++) {
            const int16_t *x = ours.numbers + t * ours.apart, *y = others.numbers + o * others.apart;
            int32_t sum = 0;
            for (size_t i = 0; i < inputs; i++) sum += (int32_t)x[i] * y[i];
            room->sums[t * outputs + o] = sum;
        }
}

/* The shares that each row takes of the others, and what they come to. */
WIDEST static void shared(const Network *self, const Room *room, size_t rows, double scale) {
    double said[MOST_TOKENS];
    for (size_t t = 0; t < rows; t++) {
        const int32_t *sums = room->sums + t * rows;
        int16_t *shares = room->shares + t * rows;
        double most = -INFINITY;
        for (size_t u = 0; u < rows; u++) {
            said[u] = sums[u] * (room->worth[t] * room->other_worth[u]) * scale;
            if (said[u] > most) most = said[u];
        }
        int32_t total = 0;
        for (size_t u = 0; u < rows; u++) {
            double step = rint((most - said[u]) * FALL_STEP);
            shares[u] = step < FALL ? self->fall[(size_t)step] : 0;
            total += shares[u];
        }
        room->totals[t] = total;
    }
}

/* Bytes of the tiles of a head's keys, or of its values. */
static inline size_t head_tiles(size_t rows, size_t size) {
    const size_t keys = tiles_size(rows, row_size(size * sizeof(int16_t))), values = tiles_size(size, row_size(rows * sizeof(int16_t)));
    return keys > values ? keys : values;
}

/* What each row of `query_steps` takes from `value_steps`, which has a row of tokens for each number. */
static void attend(const Network *self, const Room *room, double value_worth, double *to, size_t rows) {
    const size_t width = self->width, size = width / self->heads;
    for (size_t first = 0; first < width; first += size) {
        crossed(room, (Rows){room->query_steps + first, width}, (Rows){room->key_steps + first, width}, rows, rows, size);
        shared(self, room, rows, 1 / sqrt((double)size));
        crossed(room, (Rows){room->shares, rows}, (Rows){room->value_steps + first * rows, rows}, rows, size, rows);
        for (size_t t = 0; t < rows; t++) {
            const double worth = value_worth / room->totals[t];
            for (size_t i = 0; i < size; i++) to[t * width + first + i] = room->sums[t * size + i] * worth;
        }
    }
}

static void attended(const Network *self, const Layer *layer, const Room *room, size_t rows) {
    size_t width = self->width;
    double worth = 0;
    rows_in_steps(room->state, room->steps, room->worth, rows, width, FEW);
    applied(&layer->matrix[VALUE], room, room->query, rows);
    for (size_t i = 0; i < width; i++)
        for (size_t t = 0; t < rows; t++) room->made[i * rows + t] = room->query[t * width + i];
    worth = in_steps(room->made, room->value_steps, rows * width, STEPS);
    applied(&layer->matrix[QUERY], room, room->query, rows);
    applied(&layer->matrix[KEY], room, room->made, rows);
    rows_in_steps(room->query, room->query_steps, room->worth, rows, width, STEPS);
    rows_in_steps(room->made, room->key_steps, room->other_worth, rows, width, STEPS);
    attend(self, room, worth, room->made, rows);
    rows_in_steps(room->made, room->steps, room->worth, rows, width, FEW);
    applied(&layer->matrix[MIXED], room, room->made, rows);
    for (size_t i = 0; i < rows * width; i++) room->state[i] += room->made[i];
    normed(&layer->attended, room->state, rows, width);
}

WIDEST static void widened(const Network *self, const Layer *layer, const Room *room, size_t rows) {
    size_t wide = layer->matrix[WIDER].outputs;
    rows_in_steps(room->state, room->steps, room->worth, rows, self->width, FEW);
    applied(&layer->matrix[WIDER], room, room->made, rows);
    for (size_t i = 0; i < rows * wide; i++) {
        double x = room->made[i];
        if (x < CURVE_END) room->made[i] = x > -CURVE_END ? self->curve[(size_t)(rint(x * CURVE_STEP) + CURVE / 2)] : 0;
    }
    rows_in_steps(room->made, room->steps, room->worth, rows, wide, FEW);
    applied(&layer->matrix[NARROWER], room, room->made, rows);
    for (size_t i = 0; i < rows * self->width; i++) room->state[i] += room->made[i];
    normed(&layer->done, room->state, rows, self->width);
}

/* said[s * labels + l]: label l of the pieces from spans[2 * s] to before spans[2 * s + 1]. */
static void say(const Network *self, const Room *room, const int32_t *ids, size_t rows, const int32_t *spans, size_t asked,
                double *said) {
    size_t width = self->width;
    for (size_t t = 0; t < rows; t++) {
        const int8_t *piece = self->pieces.weights + (size_t)ids[t] * width;
        const double worth = self->pieces.worth[ids[t]];
        for (size_t i = 0; i < width; i++) room->state[t * width + i] = piece[i] * worth + self->places[t * width + i];
    }
    normed(&self->first, room->state, rows, width);
    for (size_t at = 0; at < self->layers; at++) {
        attended(self, &self->layer[at], room, rows);
        widened(self, &self->layer[at], room, rows);
    }
    for (size_t at = 0; at < asked; at++) {
        size_t first = (size_t)spans[2 * at], end = (size_t)spans[2 * at + 1];
        for (size_t i = 0; i < width; i++) room->made[i] = 0;
        for (size_t t = first; t < end; t++)
            for (size_t i = 0; i < width; i++) room->made[i] += room->state[t * width + i];
        for (size_t i = 0; i < width; i++) room->made[i] /= (double)(end - first);
        room->worth[0] = in_steps(room->made, room->steps, width, FEW);
        applied(&self->labels, room, said + at * self->labels.outputs, 1);
    }
}

/* ---- made from Python ------------------------------------------------------------------------------------------ */

/* A copy of an array of numbers that are `size` bytes each; how many, in `count`. */
static void *copied(PyObject *array, size_t size, size_t *count) {
    Py_buffer part;
    if (PyObject_GetBuffer(array, &part, PyBUF_SIMPLE) < 0) return NULL;
    void *made = PyMem_Malloc(part.len ? (size_t)part.len : 1);
    if (made == NULL)
        PyErr_NoMemory();
    else
        memcpy(made, part.buf, (size_t)part.len);
    *count = (size_t)part.len / size;
    PyBuffer_Release(&part);
    return made;
}

static int wrong(const char *what) {
    PyErr_SetString(PyExc_ValueError, what);
    return -1;
}

/* Puts the weights into tiles, too. */
static inline int tiles_from(Matrix *matrix) {
    const size_t wide = row_size(matrix->inputs);
    matrix->tiles = aligned(tiles_size(matrix->outputs, wide));
    matrix->shift = PyMem_Calloc(matrix->outputs, sizeof(int32_t));
    if (matrix->tiles == NULL || matrix->shift == NULL) return PyErr_NoMemory(), -1;
    for (size_t o = 0; o < matrix->outputs; o++)
        for (size_t i = 0; i < matrix->inputs; i++) {
            const int8_t weight = matrix->weights[o * matrix->inputs + i];
            matrix->tiles[in_tiles(o, i, wide)] = weight;
            matrix->shift[o] += BYTE * weight;
        }
    return 0;
}

/* From (weights, worth, added): arrays of bytes, doubles, doubles. */
static int matrix_from(Matrix *matrix, PyObject *parts, int with_tiles) {
    PyObject *weights, *worth, *added;
    size_t count, sums;
    if (!PyArg_ParseTuple(parts, "OOO", &weights, &worth, &added)) return -1;
    if ((matrix->worth = copied(worth, sizeof(double), &matrix->outputs)) == NULL) return -1;
    if ((matrix->added = copied(added, sizeof(double), &sums)) == NULL) return -1;
    if ((matrix->weights = copied(weights, 1, &count)) == NULL) return -1;
    if (matrix->outputs == 0 || count % matrix->outputs || count / matrix->outputs > MOST_WIDTH || sums != matrix->outputs)
        return wrong("a matrix of another shape");
    matrix->inputs = count / matrix->outputs;
    return with_tiles ? tiles_from(matrix) : 0;
}

static int norm_from(Norm *norm, PyObject *parts, size_t width) {
    PyObject *by, *added;
    size_t count, sums;
    if (!PyArg_ParseTuple(parts, "OO", &by, &added)) return -1;
    if ((norm->by = copied(by, sizeof(double), &count)) == NULL) return -1;
    if ((norm->added = copied(added, sizeof(double), &sums)) == NULL) return -1;
    return count == width && sums == width ? 0 : wrong("a norm of another size");
}

static int layer_from(Layer *layer, PyObject *parts, size_t width, int with_tiles) {
    PyObject *matrix[MATRICES], *attended, *done;
    if (!PyArg_ParseTuple(parts, "OOOOOOOO", &matrix[QUERY], &matrix[KEY], &matrix[VALUE], &matrix[MIXED], &matrix[WIDER],
                          &matrix[NARROWER], &attended, &done))
        return -1;
    for (int at = 0; at < MATRICES; at++) {
        if (matrix_from(&layer->matrix[at], matrix[at], with_tiles) < 0) return -1;
        size_t wide = layer->matrix[at == NARROWER ? WIDER : at].outputs;
        if (layer->matrix[at].inputs != (at == NARROWER ? wide : width) || wide > MOST_WIDTH ||
            (at != WIDER && layer->matrix[at].outputs != width))
            return wrong("a layer of another width");
    }
    return norm_from(&layer->attended, attended, width) < 0 || norm_from(&layer->done, done, width) < 0 ? -1 : 0;
}

static int network_from(Network *self, PyObject *pieces, PyObject *places, PyObject *first, PyObject *layers,
                        PyObject *labels, PyObject *curve, PyObject *fall) {
    size_t count;
    if (matrix_from(&self->pieces, pieces, 0) < 0 || matrix_from(&self->labels, labels, self->tiled) < 0) return -1;
    self->width = self->widest = self->pieces.inputs;
    if (self->heads == 0 || self->width % self->heads || self->labels.inputs != self->width || self->width > MOST_WIDTH)
        return wrong("a network of another width");
    if ((self->places = copied(places, sizeof(double) * self->width, &self->tokens)) == NULL) return -1;
    if (self->tokens > MOST_TOKENS) return wrong("too many places");
    if ((self->curve = copied(curve, sizeof(double), &count)) == NULL) return -1;
    if (count != CURVE) return wrong("a curve of another length");
    if ((self->fall = copied(fall, sizeof(int16_t), &count)) == NULL) return -1;
    if (count != FALL) return wrong("a fall of another length");
    if (norm_from(&self->first, first, self->width) < 0) return -1;
    self->layer = PyMem_Calloc((size_t)PyList_GET_SIZE(layers) + 1, sizeof(Layer));
    if (self->layer == NULL) return PyErr_NoMemory(), -1;
    for (Py_ssize_t at = 0; at < PyList_GET_SIZE(layers); at++) {
        self->layers++;
        if (layer_from(&self->layer[at], PyList_GET_ITEM(layers, at), self->width, self->tiled) < 0) return -1;
        size_t wide = self->layer[at].matrix[WIDER].outputs;
        if (wide > self->widest) self->widest = wide;
    }
    return 0;
}

static PyObject *network_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"heads", "pieces", "places", "first", "layers", "labels", "curve", "fall", "plain", NULL};
    PyObject *pieces, *places, *first, *layers, *labels, *curve, *fall;
    Py_ssize_t heads;
    int plain;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "$nOOOO!OOOp", names, &heads, &pieces, &places, &first, &PyList_Type,
                                     &layers, &labels, &curve, &fall, &plain))
        return NULL;
    Network *self = (Network *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->heads = heads > 0 ? (size_t)heads : 0;
    self->tiled = !plain && has_tiles();
    if (network_from(self, pieces, places, first, layers, labels, curve, fall) < 0) Py_CLEAR(self);
    return (PyObject *)self;
}

static void matrix_free(Matrix *matrix) {
    PyMem_Free(matrix->weights);
    free(matrix->tiles);
    PyMem_Free(matrix->shift);
    PyMem_Free(matrix->worth);
    PyMem_Free(matrix->added);
}

static void norm_free(Norm *norm) {
    PyMem_Free(norm->by);
    PyMem_Free(norm->added);
}

static void network_dealloc(Network *self) {
    matrix_free(&self->pieces);
    matrix_free(&self->labels);
    norm_free(&self->first);
    for (size_t at = 0; at < self->layers; at++) {
        for (int each = 0; each < MATRICES; each++) matrix_free(&self->layer[at].matrix[each]);
        norm_free(&self->layer[at].attended);
        norm_free(&self->layer[at].done);
    }
    PyMem_Free(self->places);
    PyMem_Free(self->layer);
    PyMem_Free(self->curve);
    PyMem_Free(self->fall);
    Py_TYPE(self)->tp_free((PyObject *)self);
}

/* The numbers in a sequence, each from 0 to below `end`. */
static int listed(PyObject *list, int32_t *to, size_t count, size_t end) {
    for (size_t at = 0; at < count; at++) {
        long number = PyLong_AsLong(PySequence_Fast_GET_ITEM(list, (Py_ssize_t)at));
        if (number == -1 && PyErr_Occurred()) return -1;
        if (number < 0 || (size_t)number >= end) return wrong("a number that the network does not know");
        to[at] = (int32_t)number;
    }
    return 0;
}

/* The first piece and the one behind the last of each span. */
static int spanned(PyObject *list, int32_t *to, size_t count, size_t rows) {
    for (size_t at = 0; at < count; at++, to += 2) {
        PyObject *span = PyList_GET_ITEM(list, (Py_ssize_t)at);
        if (!PyTuple_Check(span) || PyTuple_GET_SIZE(span) != 2) return wrong("a span that is no pair");
        if (listed(span, to, 2, rows + 1) < 0) return -1;
        if (to[0] >= to[1]) return wrong("a span without pieces");
    }
    return 0;
}

static PyObject *labelled(const double *said, size_t labels) {
    PyObject *result = PyTuple_New((Py_ssize_t)labels);
    for (size_t at = 0; result != NULL && at < labels; at++) {
        PyObject *number = PyFloat_FromDouble(said[at]);
        if (number == NULL)
            Py_CLEAR(result);
        else
            PyTuple_SET_ITEM(result, (Py_ssize_t)at, number);
    }
    return result;
}

static PyObject *network_say(Network *self, PyObject *args) {
    PyObject *pieces, *spans;
    if (!PyArg_ParseTuple(args, "O!O!", &PyList_Type, &pieces, &PyList_Type, &spans)) return NULL;
    size_t rows = (size_t)PyList_GET_SIZE(pieces), asked = (size_t)PyList_GET_SIZE(spans), labels = self->labels.outputs;
    if (rows == 0 || rows > self->tokens) {
        wrong("one piece at least, and no more than the network has places");
        return NULL;
    }
    int32_t ids[MOST_TOKENS], *of = PyMem_Malloc((2 * asked + 1) * sizeof(int32_t));
    if (of == NULL) return PyErr_NoMemory();
    if (listed(pieces, ids, rows, self->pieces.outputs) < 0 || spanned(spans, of, asked, rows) < 0) {
        PyMem_Free(of);
        return NULL;
    }
    const size_t widest = self->widest > rows ? self->widest : rows, all = rows * widest;
    Room room = {
        .state = PyMem_RawMalloc(all * sizeof(double)),
        .made = PyMem_RawMalloc(all * sizeof(double)),
        .query = PyMem_RawMalloc(all * sizeof(double)),
        .worth = PyMem_RawMalloc(rows * sizeof(double)),
        .other_worth = PyMem_RawMalloc(rows * sizeof(double)),
        .steps = PyMem_RawMalloc(all * sizeof(int16_t)),
        .query_steps = PyMem_RawMalloc(all * sizeof(int16_t)),
        .key_steps = PyMem_RawMalloc(all * sizeof(int16_t)),
        .value_steps = PyMem_RawMalloc(all * sizeof(int16_t)),
        .shares = PyMem_RawMalloc(rows * rows * sizeof(int16_t)),
        .sums = PyMem_RawMalloc(all * sizeof(int32_t)),
        .totals = PyMem_RawMalloc(rows * sizeof(int32_t)),
        .rows = self->tiled ? aligned(up_to(rows, TILE_ROWS) * row_size(widest * sizeof(int16_t))) : NULL,
        .tiles = self->tiled ? aligned(head_tiles(rows, self->width / self->heads)) : NULL,
    };
    void *every[] = {room.state,       room.made,      room.query,       room.worth,  room.other_worth, room.steps,
                     room.query_steps, room.key_steps, room.value_steps, room.shares, room.sums,        room.totals};
    double *said = PyMem_RawMalloc((asked * labels + 1) * sizeof(double));
    int there = said != NULL && (!self->tiled || (room.rows != NULL && room.tiles != NULL));
    for (size_t at = 0; at < sizeof(every) / sizeof(*every); at++) there = there && every[at] != NULL;
    PyObject *result = NULL;
    if (there) {
        Py_BEGIN_ALLOW_THREADS;
        say(self, &room, ids, rows, of, asked, said);
        Py_END_ALLOW_THREADS;
        result = PyList_New((Py_ssize_t)asked);
    } else
        PyErr_NoMemory();
    for (size_t at = 0; result != NULL && at < asked; at++) {
        PyObject *each = labelled(said + at * labels, labels);
        if (each == NULL)
            Py_CLEAR(result);
        else
            PyList_SET_ITEM(result, (Py_ssize_t)at, each);
    }
    for (size_t at = 0; at < sizeof(every) / sizeof(*every); at++) PyMem_RawFree(every[at]);
    free(room.rows);
    free(room.tiles);
    PyMem_RawFree(said);
    PyMem_Free(of);
    return result;
}

static PyMethodDef network_methods[] = {
    {"say", (PyCFunction)network_say, METH_VARARGS, "As `network.Network.say`."},
    {NULL, NULL, 0, NULL},
};

static PyTypeObject NetworkType = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "lockllm_twisted.detection._encoder.Network",
    .tp_basicsize = sizeof(Network),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_doc = "As `network.Network`.",
    .tp_new = network_new,
    .tp_dealloc = (destructor)network_dealloc,
    .tp_methods = network_methods,
};

static PyModuleDef module = {PyModuleDef_HEAD_INIT, .m_name = "_encoder", .m_doc = "The encoder's network, compiled.", .m_size = -1};

PyMODINIT_FUNC PyInit__encoder(void) {
    PyObject *made = PyModule_Create(&module);
    if (made != NULL && PyModule_AddType(made, &NetworkType) < 0) Py_CLEAR(made);
    return made;
}
