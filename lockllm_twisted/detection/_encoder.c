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

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define WIDEST __attribute__((target_clones("avx2", "default"), optimize("O3")))
#define OF_BYTES __attribute__((target("avx512vnni,avx512vl,avx512bw,prefer-vector-width=256"), optimize("O3")))
#elif defined(__GNUC__) && !defined(__clang__)
#define WIDEST __attribute__((optimize("O3")))
#else
#define WIDEST
#endif

/* `outputs` rows of `inputs` whole numbers, what one is worth in each row, and what is added to what it comes to. */
typedef struct {
    size_t inputs, outputs;
    int8_t *weights;
    int32_t *shift; /* of each row: what its sum is too large by where `BYTE` is added to each of the numbers that it is multiplied with */
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
    Matrix pieces, spread, labels; /* of `pieces` the weights and worth: a row for each piece */
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
    uint8_t *bytes; /* `steps`, and `BYTE` more; NULL where the processor multiplies no bytes */
    int32_t *sums;
} Room;

/* ---- sums ------------------------------------------------------------------------------------------------------ */

/* The products of some rows of weights, `a` and the three behind it, with two rows of numbers; `less` is taken from each. */
#define FOUR_BY_TWO(name, Number)                                                                                        \
    static void name(const int8_t *a, const Number *x, const int32_t *less, int32_t *to, size_t inputs, size_t outputs) { \
        const int8_t *b = a + inputs, *c = b + inputs, *d = c + inputs;                                                  \
        const Number *y = x + inputs;                                                                                    \
        int32_t ax = 0, ay = 0, bx = 0, by = 0, cx = 0, cy = 0, dx = 0, dy = 0;                                          \
        for (size_t i = 0; i < inputs; i++) {                                                                            \
            ax += (int32_t)a[i] * x[i];                                                                                  \
            ay += (int32_t)a[i] * y[i];                                                                                  \
            bx += (int32_t)b[i] * x[i];                                                                                  \
            by += (int32_t)b[i] * y[i];                                                                                  \
            cx += (int32_t)c[i] * x[i];                                                                                  \
            cy += (int32_t)c[i] * y[i];                                                                                  \
            dx += (int32_t)d[i] * x[i];                                                                                  \
            dy += (int32_t)d[i] * y[i];                                                                                  \
        }                                                                                                                \
        to[0] = ax - less[0], to[1] = bx - less[1], to[2] = cx - less[2], to[3] = dx - less[3];                          \
        to += outputs;                                                                                                   \
        to[0] = ay - less[0], to[1] = by - less[1], to[2] = cy - less[2], to[3] = dy - less[3];                          \
    }

WIDEST FOUR_BY_TWO(four_by_two, int16_t)

#ifdef OF_BYTES
OF_BYTES FOUR_BY_TWO(four_by_two_bytes, uint8_t)

static int multiplies_bytes(void) {
    return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
}
#else
#define four_by_two_bytes(...)
static int multiplies_bytes(void) { return 0; }
#endif

WIDEST static int32_t product(const int8_t *a, const int16_t *x, size_t inputs) {
    int32_t sum = 0;
    for (size_t i = 0; i < inputs; i++) sum += (int32_t)a[i] * x[i];
    return sum;
}

WIDEST static void in_bytes(const int16_t *from, uint8_t *to, size_t count) {
    for (size_t i = 0; i < count; i++) to[i] = (uint8_t)(from[i] + BYTE);
}

/* sums[t * outputs + o] = row o of the weights times row t of the steps. */
static void multiply(const Matrix *matrix, const Room *room, size_t rows) {
    const int32_t nothing[4] = {0};
    size_t inputs = matrix->inputs, outputs = matrix->outputs, fours = outputs - outputs % 4, twos = rows - rows % 2;
    if (room->bytes != NULL) in_bytes(room->steps, room->bytes, twos * inputs);
    for (size_t o = 0; o < fours; o += 4)
        for (size_t t = 0; t < twos; t += 2) {
            const int8_t *weights = matrix->weights + o * inputs;
            int32_t *sums = room->sums + t * outputs + o;
            if (room->bytes == NULL)
                four_by_two(weights, room->steps + t * inputs, nothing, sums, inputs, outputs);
            else
                four_by_two_bytes(weights, room->bytes + t * inputs, matrix->shift + o, sums, inputs, outputs);
        }
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

/* What each row of `query_steps` takes from `value_steps`, which has a row of tokens for each number. */
WIDEST static void attend(const Network *self, const Room *room, double value_worth, double *to, size_t rows) {
    size_t width = self->width, size = width / self->heads;
    double scale = 1 / sqrt((double)size), said[MOST_TOKENS];
    for (size_t head = 0; head < self->heads; head++)
        for (size_t t = 0; t < rows; t++) {
            const int16_t *query = room->query_steps + t * width + head * size;
            double most = -INFINITY;
            for (size_t u = 0; u < rows; u++) {
                const int16_t *key = room->key_steps + u * width + head * size;
                int32_t sum = 0;
                for (size_t i = 0; i < size; i++) sum += (int32_t)query[i] * key[i];
                said[u] = sum * (room->worth[t] * room->other_worth[u]) * scale;
                if (said[u] > most) most = said[u];
            }
            int32_t total = 0;
            for (size_t u = 0; u < rows; u++) {
                double step = rint((most - said[u]) * FALL_STEP);
                room->shares[u] = step < FALL ? self->fall[(size_t)step] : 0;
                total += room->shares[u];
            }
            double worth = value_worth / total;
            for (size_t i = 0; i < size; i++) {
                const int16_t *value = room->value_steps + (head * size + i) * rows;
                int32_t sum = 0;
                for (size_t u = 0; u < rows; u++) sum += (int32_t)room->shares[u] * value[u];
                to[t * width + head * size + i] = sum * worth;
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
        size_t size = self->pieces.inputs;
        for (size_t i = 0; i < size; i++) room->steps[t * size + i] = self->pieces.weights[(size_t)ids[t] * size + i];
        room->worth[t] = self->pieces.worth[ids[t]];
    }
    applied(&self->spread, room, room->state, rows);
    for (size_t i = 0; i < rows * width; i++) room->state[i] += self->places[i];
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

/* From (weights, worth, added): arrays of bytes, doubles, doubles. */
static int matrix_from(Matrix *matrix, PyObject *parts) {
    PyObject *weights, *worth, *added;
    size_t count, sums;
    if (!PyArg_ParseTuple(parts, "OOO", &weights, &worth, &added)) return -1;
    if ((matrix->worth = copied(worth, sizeof(double), &matrix->outputs)) == NULL) return -1;
    if ((matrix->added = copied(added, sizeof(double), &sums)) == NULL) return -1;
    if ((matrix->weights = copied(weights, 1, &count)) == NULL) return -1;
    if (matrix->outputs == 0 || count % matrix->outputs || count / matrix->outputs > MOST_WIDTH || sums != matrix->outputs)
        return wrong("a matrix of another shape");
    matrix->inputs = count / matrix->outputs;
    if ((matrix->shift = PyMem_Calloc(matrix->outputs, sizeof(int32_t))) == NULL) return PyErr_NoMemory(), -1;
    for (size_t i = 0; i < count; i++) matrix->shift[i / matrix->inputs] += BYTE * matrix->weights[i];
    return 0;
}

static int norm_from(Norm *norm, PyObject *parts, size_t width) {
    PyObject *by, *added;
    size_t count, sums;
    if (!PyArg_ParseTuple(parts, "OO", &by, &added)) return -1;
    if ((norm->by = copied(by, sizeof(double), &count)) == NULL) return -1;
    if ((norm->added = copied(added, sizeof(double), &sums)) == NULL) return -1;
    return count == width && sums == width ? 0 : wrong("a norm of another size");
}

static int layer_from(Layer *layer, PyObject *parts, size_t width) {
    PyObject *matrix[MATRICES], *attended, *done;
    if (!PyArg_ParseTuple(parts, "OOOOOOOO", &matrix[QUERY], &matrix[KEY], &matrix[VALUE], &matrix[MIXED], &matrix[WIDER],
                          &matrix[NARROWER], &attended, &done))
        return -1;
    for (int at = 0; at < MATRICES; at++) {
        if (matrix_from(&layer->matrix[at], matrix[at]) < 0) return -1;
        size_t wide = layer->matrix[at == NARROWER ? WIDER : at].outputs;
        if (layer->matrix[at].inputs != (at == NARROWER ? wide : width) || wide > MOST_WIDTH ||
            (at != WIDER && layer->matrix[at].outputs != width))
            return wrong("a layer of another width");
    }
    return norm_from(&layer->attended, attended, width) < 0 || norm_from(&layer->done, done, width) < 0 ? -1 : 0;
}

static int network_from(Network *self, PyObject *pieces, PyObject *spread, PyObject *places, PyObject *first,
                        PyObject *layers, PyObject *labels, PyObject *curve, PyObject *fall) {
    size_t count;
    if (matrix_from(&self->pieces, pieces) < 0 || matrix_from(&self->spread, spread) < 0 || matrix_from(&self->labels, labels) < 0)
        return -1;
    self->width = self->widest = self->spread.outputs;
    if (self->heads == 0 || self->width % self->heads || self->spread.inputs != self->pieces.inputs ||
        self->labels.inputs != self->width || self->width > MOST_WIDTH)
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
        if (layer_from(&self->layer[at], PyList_GET_ITEM(layers, at), self->width) < 0) return -1;
        size_t wide = self->layer[at].matrix[WIDER].outputs;
        if (wide > self->widest) self->widest = wide;
    }
    return 0;
}

static PyObject *network_new(PyTypeObject *type, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"heads", "pieces", "spread", "places", "first", "layers", "labels", "curve", "fall", NULL};
    PyObject *pieces, *spread, *places, *first, *layers, *labels, *curve, *fall;
    Py_ssize_t heads;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "$nOOOOO!OOO", names, &heads, &pieces, &spread, &places, &first,
                                     &PyList_Type, &layers, &labels, &curve, &fall))
        return NULL;
    Network *self = (Network *)type->tp_alloc(type, 0);
    if (self == NULL) return NULL;
    self->heads = heads > 0 ? (size_t)heads : 0;
    if (network_from(self, pieces, spread, places, first, layers, labels, curve, fall) < 0) Py_CLEAR(self);
    return (PyObject *)self;
}

static void matrix_free(Matrix *matrix) {
    PyMem_Free(matrix->weights);
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
    matrix_free(&self->spread);
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
    size_t all = rows * self->widest;
    const int bytes = multiplies_bytes();
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
        .shares = PyMem_RawMalloc(rows * sizeof(int16_t)),
        .bytes = bytes ? PyMem_RawMalloc(all) : NULL,
        .sums = PyMem_RawMalloc(all * sizeof(int32_t)),
    };
    void *every[] = {room.state,       room.made,      room.query,       room.worth,  room.other_worth, room.steps,
                     room.query_steps, room.key_steps, room.value_steps, room.shares, room.sums};
    double *said = PyMem_RawMalloc((asked * labels + 1) * sizeof(double));
    int there = said != NULL;
    for (size_t at = 0; at < sizeof(every) / sizeof(*every); at++) there = there && every[at] != NULL;
    there = there && (room.bytes != NULL || !bytes);
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
    PyMem_RawFree(room.bytes);
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
